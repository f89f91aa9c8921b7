import crypto, { createCipheriv } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { decrypt } from '../../../functions/events/decrypt.ts';
import { membersOfXml } from '../../../functions/events/members-of-xml.ts';
import { PushRefusal } from '../../../functions/events/push-refusal.ts';
import { sameSignature, signatureOf } from '../../../functions/events/signature.ts';
import { demo, page, xmlReply } from '../../fixtures/push/vectors.ts';

describe("WeChat's own examples", () => {
  it('have the signatures that we compute', () => {
    const { verification, plain, safe, reply, token } = page;

    for (const { timestamp, nonce, signature } of [verification, plain, safe])
      expect(signatureOf(token, timestamp, nonce)).toBe(signature);
    for (const { timestamp, nonce, encrypt, msgSignature } of [safe, reply])
      expect(signatureOf(token, timestamp, nonce, encrypt)).toBe(msgSignature);
    expect(signatureOf(demo.token, demo.timestamp, demo.nonce)).toBe(demo.signature);
    for (const { token: of, timestamp, nonce, encrypt, msgSignature } of [demo, xmlReply])
      expect(signatureOf(of, timestamp, nonce, encrypt)).toBe(msgSignature);
  });

  it('open with the keys beside them', () => {
    expect(decrypt(page.safe.encrypt, page.encodingAesKey, page.appid)).toBe(
      JSON.stringify(page.safe.message),
    );
    expect(decrypt(page.reply.encrypt, page.encodingAesKey, page.appid)).toBe('{"demo_resp":"good luck"}');

    const message = decrypt(demo.encrypt, demo.encodingAesKey, demo.appid);
    expect(Buffer.byteLength(message)).toBe(280);
    expect(message).toContain('<Content><![CDATA[abcdteT]]></Content>');
    expect(membersOfXml(message).get('MsgId')).toBe(demo.msgId);

    const reply = membersOfXml(decrypt(xmlReply.encrypt, xmlReply.encodingAesKey, xmlReply.appid));
    expect([reply.get('MsgType'), reply.get('CreateTime')]).toEqual(['text', xmlReply.timestamp]);
  });
});

describe('decrypt', () => {
  const key = Buffer.alloc(32, 7);
  const encodingAesKey = key.toString('base64').slice(0, 43);
  const seal = (content: Buffer): string => {
    const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
    return Buffer.concat([cipher.update(content), cipher.final()]).toString('base64');
  };
  /** 16 random bytes, a length, and a text with padding, to a whole number of blocks of 16. */
  const sealed = (length: number, text: string, padding: Buffer): string => {
    const head = Buffer.alloc(20);
    head.writeUInt32BE(length, 16);
    return seal(Buffer.concat([head, Buffer.from(text), padding]));
  };
  const whyOf = (encrypted: string, withKey = encodingAesKey): string => {
    try {
      return decrypt(encrypted, withKey, 'wx1');
    } catch (error) {
      if (!(error instanceof PushRefusal)) throw error;
      return error.why;
    }
  };

  it.each([1, 2, 15, 16, 17, 31, 32])('takes %i bytes of padding', (pad) => {
    const text = 'x'.repeat(64 - 20 - 3 - pad);

    expect(whyOf(sealed(text.length, `${text}wx1`, Buffer.alloc(pad, pad)))).toBe(text);
  });

  const wrongLast = Buffer.alloc(9, 9);
  wrongLast[0] = 8;
  it.each([
    ['padding of zero', sealed(8, `${'x'.repeat(8)}wx1`, Buffer.alloc(33 - 32, 0))],
    ['padding of 33', sealed(8, `${'x'.repeat(8)}wx1`, Buffer.alloc(33, 33))],
    ['padding longer than everything', seal(Buffer.alloc(32, 32))],
    ['padding that differs in one byte', sealed(32, `${'x'.repeat(32)}wx1`, wrongLast)],
    ['a length beyond the end', sealed(4_000_000_000, `${'x'.repeat(32)}wx1`, Buffer.alloc(9, 9))],
    ['a length into the appid', sealed(33, `${'x'.repeat(32)}wx1`, Buffer.alloc(9, 9))],
    ['another appid', sealed(32, `${'x'.repeat(32)}wx2`, Buffer.alloc(9, 9))],
    ['a longer appid', sealed(32, `${'x'.repeat(32)}wx12`, Buffer.alloc(8, 8))],
    ['a text that is not UTF-8', seal(Buffer.from(`${'00'.repeat(19)}01ff777831${'08'.repeat(8)}`, 'hex'))],
    ['a block and a byte', Buffer.alloc(17).toString('base64')],
    [
      'a block of the cipher too much',
      seal(Buffer.concat([Buffer.alloc(19), Buffer.from('\x01xwx1'), Buffer.alloc(24, 24)])),
    ],
    ['nothing', ''],
    ['no base64', '<<<>>>'],
  ])('refuses %s as it refuses everything', (_what, encrypted) => {
    expect(whyOf(encrypted)).toBe('undecryptable');
  });

  it('refuses without a key of 32 bytes', () => {
    for (const unusable of ['', 'short', encodingAesKey.slice(2), encodingAesKey.repeat(2)])
      expect(whyOf(page.safe.encrypt, unusable)).toBe('no_key');
  });
});

describe('sameSignature', () => {
  it('is true for the same text alone, and throws for no length', () => {
    const { signature } = page.plain;

    expect(sameSignature(signature, signature)).toBe(true);
    for (const other of ['', signature.slice(1), `${signature}0`, signature.toUpperCase(), 'é'.repeat(40)])
      expect(sameSignature(other, signature)).toBe(false);
  });

  it('compares in constant time, whatever the length', () => {
    const compare = vi.spyOn(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    onTestFinished(() => {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
    });

    for (const given of ['', 'a', 'a'.repeat(1_000)]) sameSignature(given, page.plain.signature);

    expect(compare.mock.calls.map(([one, other]) => [one.byteLength, other.byteLength])).toEqual(
      Array(3).fill([32, 32]),
    );
  });
});
