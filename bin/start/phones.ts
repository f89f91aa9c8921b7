/** What `HOST` adds to `npm start`: phones of the same network reach the API, and what that opens is said. */
import { networkInterfaces } from 'node:os';
import { renderUnicodeCompact } from 'uqr';
import type { LocalService } from '../../local/service.ts';

/** As `HOST`: every address of this machine. */
export const EVERY_ADDRESS = '0.0.0.0';

/** The address of this machine in its network; of several networks the first. Undefined without one. */
export function networkAddress(interfaces = networkInterfaces()): string | undefined {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** What is open, how a phone finds it, and what the developer tools need; undefined where nothing is. */
export function phoneLines({ url, publicUrl, simulatorUrl }: LocalService): string | undefined {
  if (publicUrl === url) return undefined;
  const who =
    simulatorUrl === undefined ? 'use up the quota of your mini-program' : 'log in as any demo user';
  return `
Warning: everybody in the network of ${publicUrl} can reach this API, listen in, and ${who}.
The page, its controls, the database and the secrets stay on this machine.

Scan this with a phone of the same network; it shows "code":200 when it gets here:

${renderUnicodeCompact(`${publicUrl}/health`, { border: 2 })}

Put ${publicUrl} into the mini-program, and tick 详情 → 本地设置 → 不校验合法域名 in the developer tools;
on the phone, choose ··· → 开发调试 → 打开调试 in the preview (docs/mini-program.md, "On a phone").
`;
}
