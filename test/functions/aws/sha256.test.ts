import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { Sha256 } from '../../../functions/aws/sha256.ts';

const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);

it('is the hash of all parts of a message', async () => {
  const sha256 = new Sha256();
  sha256.update(bytes.subarray(0, 3));
  sha256.update(bytes.subarray(3));

  expect(Buffer.from(await sha256.digest())).toEqual(createHash('sha256').update(bytes).digest());
});

it.each([
  ['text', 'AWS4ключ'],
  ['bytes', bytes],
  ['a part of bytes', bytes.subarray(2, 5)],
  ['a buffer', bytes.buffer],
])('is its authentication code with a key that is %s', async (_, key) => {
  const sha256 = new Sha256(key);
  sha256.update(bytes);

  const plain = key instanceof ArrayBuffer ? new Uint8Array(key) : key;
  expect(Buffer.from(await sha256.digest())).toEqual(createHmac('sha256', plain).update(bytes).digest());
});
