import { describe, expect, it } from 'vitest';
import { chooseMiniProgram } from '../../../functions/login/mini-program.ts';

const appids = ['wx1', 'wx2'] as const;
const referer = (appid: string) => `https://servicewechat.com/${appid}/0/page-frame.html`;
const choose = (named: string | undefined, from?: string) => chooseMiniProgram([...appids], named, from);

describe('the mini-program of a login', () => {
  it('a login is of the mini-program that the request names, before the one of the Referer', () => {
    expect(choose('wx2')).toBe('wx2');
    expect(choose('wx1', referer('wx2'))).toBe('wx1');
  });

  it('a login is of the mini-program in the Referer that WeChat sends along', () => {
    expect(choose(undefined, referer('wx2'))).toBe('wx2');
    expect(choose('', referer('wx2'))).toBe('wx2');
  });

  it.each([
    undefined,
    'https://example.com/wx2/0/page-frame.html',
    'https://servicewechat.com.example/wx2/0/',
    'https://servicewechat.com/wx3/0/page-frame.html',
    'https://servicewechat.com/touristappid/0/page-frame.html',
    'https://servicewechat.com/wx0123456789abcde/0/page-frame.html',
    'https://servicewechat.com/wx0123456789abcdefa/0/page-frame.html',
    'https://servicewechat.com/WX0123456789ABCDEF/0/page-frame.html',
    'https://servicewechat.com/wx0123456789abcdef',
    'https://example.com/wx0123456789abcdef/0/page-frame.html',
    'wx2',
  ])('a login is of the first mini-program when nothing names one that is served here (%j)', (from) => {
    expect(choose(undefined, from)).toBe('wx1');
  });

  it('a login is refused when only its Referer names a mini-program, and it is not served here', () => {
    const from = referer('wx0123456789abcdef');

    for (const named of [undefined, ''])
      expect(() => choose(named, from)).toThrow(
        expect.objectContaining({
          code: 'invalid_request',
          detail: {
            zh: expect.stringMatching(/Referer.*appid/),
            en: expect.stringMatching(/Referer.*appid/),
          },
        }),
      );
    expect(() => choose(undefined, from)).not.toThrow(/wx0123456789abcdef/);
    expect(choose('wx2', from)).toBe('wx2');
  });

  it.each(['wx3', 'WX1', ' wx1'])(
    'a login is refused when the request names the mini-program %j',
    (named) => {
      expect(() => choose(named)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );
});
