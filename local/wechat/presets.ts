/** The faults of WeChat that a person tries first, by the names that the page and the command know. */
import { type Fault, faultNames } from './faults.ts';

/** A fault without whom it is for. `first_host_down` is none: it is a host that takes no connection. */
const presets = {
  busy: { fault: 'errcode', errcode: -1 },
  invalid_code: { fault: 'errcode', errcode: 40029 },
  used: { fault: 'errcode', errcode: 40163 },
  blocked: { fault: 'errcode', errcode: 40226 },
  rate_limited: { fault: 'errcode', errcode: 45011 },
  wrong_secret: { fault: 'errcode', errcode: 40125 },
  ip_not_allowed: { fault: 'ip_not_whitelisted' },
  time_out: { fault: 'hang' },
  reset: { fault: 'reset_mid_body' },
  truncated: { fault: 'truncated' },
  html_502: { fault: 'http_502_html' },
} as const satisfies Readonly<Record<string, Fault>>;

export const FIRST_HOST_DOWN = 'first_host_down';

/** In the order in which they are shown. */
export const presetNames: readonly string[] = [...Object.keys(presets), FIRST_HOST_DOWN];

/** The fault that a word stands for: a preset, an errcode, or a fault of the simulator; undefined when there is none. */
export function faultNamed(name: string): Fault | undefined {
  const preset = Object.entries(presets).find(([each]) => each === name)?.[1];
  if (preset !== undefined) return preset;
  if (/^-?\d{1,6}$/.test(name)) return { fault: 'errcode', errcode: Number(name) };
  const fault = faultNames.find((each) => each === name);
  return fault && { fault };
}

/** The word for a fault. */
export function nameOf({ fault, errcode }: Fault): string {
  const preset = Object.entries<Fault>(presets).find(
    ([, each]) => each.fault === fault && each.errcode === errcode,
  );
  return preset?.[0] ?? (fault === 'errcode' ? String(errcode ?? -1) : fault);
}
