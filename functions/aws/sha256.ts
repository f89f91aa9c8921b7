/**
 * Node's SHA-256 as the SDK calls it to sign, with keys as key objects: for bytes, Node throws and catches two errors each
 * time to find out that they are none (50 µs a login).
 */
import { createHash, createHmac, createSecretKey, type Hash, type Hmac } from 'node:crypto';

/** SHA-256, or with a key HMAC-SHA-256, of one message. */
export class Sha256 {
  readonly hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    if (key === undefined) this.hash = createHash('sha256');
    else if (typeof key === 'string') this.hash = createHmac('sha256', key);
    else this.hash = createHmac('sha256', createSecretKey(bytesOf(key)));
  }

  update(part: Uint8Array): void {
    this.hash.update(part);
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }

  reset(): never {
    throw new Error('each message has a hash of its own');
  }
}

const bytesOf = (key: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(key) ? new Uint8Array(key.buffer, key.byteOffset, key.byteLength) : new Uint8Array(key);
