// The worker module of worker-hash.ts: hashes the files of a folder with SHA-256 in plain
// JavaScript. It never yields, so no timer, message or signal reaches it before it has finished.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The leading 32 bits of the fractional parts of the `root`th roots of the first `count` primes.
 */
function constants(root, count) {
  const words = [];
  for (let n = 2; words.length < count; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d += 1) prime = n % d !== 0;
    if (prime) words.push(((n ** (1 / root) % 1) * 2 ** 32) | 0);
  }
  return words;
}

const FIRST = constants(2, 8);
const ROUND = constants(3, 64);
const rotate = (word, by) => (word >>> by) | (word << (32 - by));

/** Adds 1 to `hashed` for each block of 64 bytes. */
function sha256(bytes, hashed) {
  const message = Buffer.alloc(Math.ceil((bytes.length + 9) / 64) * 64);
  bytes.copy(message);
  message[bytes.length] = 0x80;
  message.writeBigUInt64BE(BigInt(bytes.length) * 8n, message.length - 8);

  const state = Int32Array.from(FIRST);
  const w = new Int32Array(64);
  for (let at = 0; at < message.length; at += 64) {
    for (let t = 0; t < 16; t += 1) w[t] = message.readInt32BE(at + t * 4);
    for (let t = 16; t < 64; t += 1) {
      const early = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >>> 3);
      const late = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >>> 10);
      w[t] = w[t - 16] + early + w[t - 7] + late;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t += 1) {
      const one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + w[t];
      const two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, n) => {
      state[n] += word;
    });
    Atomics.add(hashed, 0, 1);
  }
  return Buffer.from(state.buffer).swap32().toString('hex');
}

export default function hashFolder({ workerData: { folder, rounds, hashed } }) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  let digests = [];
  for (let round = 0; round < rounds; round += 1) digests = paths.map((path) => sha256(readFileSync(path), hashed));
  return digests;
}
