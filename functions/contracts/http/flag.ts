/** A member that is true or false, false when absent; a form sends the words. */
import * as v from 'valibot';
import type { RequestRule } from './request-rules.ts';

/** @param rule what it breaks when it is neither */
export const flag = (rule: RequestRule) =>
  v.optional(
    v.pipe(
      v.union([v.boolean(), v.picklist(['true', 'false'])], rule),
      v.transform((value) => value === true || value === 'true'),
    ),
    false,
  );
