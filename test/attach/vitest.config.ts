import { defineConfig } from 'vitest/config';
import { closingLine } from '../closing-line.ts';

/** Not part of `npm test`: these need a package registry, other toolchains, and minutes. */
export default defineConfig({
  test: {
    reporters: ['default', closingLine],
    include: ['test/attach/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
  },
});
