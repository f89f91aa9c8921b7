/** The schemas of single values that more than one room reads from outside. */
import * as v from 'valibot';

/** Text that says something. */
export const nonEmptyText = v.pipe(v.string(), v.minLength(1, 'is empty'));

/** A time in whole Unix seconds. */
export const unixTime = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * The value that a JSON text stands for. Other than with `JSON.parse`, nothing is thrown: the parser's error would
 * quote the text, which may be a secret. Read it with `safeParse`, and keep the issues to yourself.
 */
export const jsonText = v.pipe(v.string(), v.parseJson());
