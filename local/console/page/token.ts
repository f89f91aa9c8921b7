/** A token as its verifier sees it: decoded, checked against the published keys, its times counting. */
import { element } from './elements.ts';
import { say } from './texts.ts';

type Part = Readonly<Record<string, unknown>>;

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  );
}

const partOf = (text: string): Part => JSON.parse(new TextDecoder().decode(bytesOf(text)));

/** Whether a published key signed it, in words. */
async function signatureOf(token: string, { kid }: Part): Promise<readonly [good: boolean, words: string]> {
  const { keys } = (await (await fetch('/.well-known/jwks.json')).json()) as {
    keys: (JsonWebKey & { kid: string })[];
  };
  const jwk = keys.find((each) => each.kid === kid);
  if (jwk === undefined) return [false, say('unknownKey')];
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
  const at = token.lastIndexOf('.');
  const signed = new TextEncoder().encode(token.slice(0, at));
  return (await crypto.subtle.verify(algorithm, key, bytesOf(token.slice(at + 1)), signed))
    ? [true, `${say('valid')} ${jwk.kid.slice(0, 8)}…`]
    : [false, say('invalid')];
}

function span(seconds: number): string {
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  return [`${days}d`, `${(hours ?? 0) % 24}h`, `${(minutes ?? 0) % 60}m`, `${Math.floor(seconds) % 60}s`]
    .filter((text, index) => index === 3 || !text.startsWith('0'))
    .join(' ');
}

/** Shows a token; what is no token is left out. */
export async function tokenView(token: string): Promise<HTMLElement | undefined> {
  try {
    const [header, claims] = token.split('.').slice(0, 2).map(partOf);
    if (header === undefined || claims === undefined) return undefined;
    const [good, words] = await signatureOf(token, header);
    const ends = element('dd');
    const since = element('dd');
    const count = (): void => {
      const now = Date.now() / 1000;
      const left = Number(claims.exp) - now;
      ends.textContent = left > 0 ? `${span(left)} ${say('endsIn')}` : say('ended');
      ends.className = left > 0 ? 'good' : 'bad';
      since.textContent = `${span(Math.max(0, now - Number(claims.auth_time)))} ${say('ago')}`;
    };
    count();
    const timer = setInterval(() => (ends.isConnected ? count() : clearInterval(timer)), 1000);
    return element(
      'div',
      { id: 'token' },
      element('h3', {}, say('token')),
      element(
        'dl',
        {},
        element('dt', {}, 'signature'),
        element('dd', { class: good ? 'good' : 'bad' }, words),
        element('dt', {}, 'exp'),
        ends,
        element('dt', {}, 'auth_time'),
        since,
      ),
      element('pre', { tabindex: '0' }, JSON.stringify(header, undefined, 1)),
      element('pre', { tabindex: '0' }, JSON.stringify(claims, undefined, 1)),
    );
  } catch {
    return undefined;
  }
}
