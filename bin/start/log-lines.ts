/** Which lines of the functions' logs a person at `npm start` should see beside the line per request. */

/** Ordinary lines and the authorizer's way to say 401 repeat that line; metrics are for machines. */
const ROUTINE = /^\{"_aws":|"level":"INFO"|"errorMessage":"Unauthorized"/;

/** Whether a line tells more than the line per request. */
export const isNoteworthy = (line: string): boolean => !ROUTINE.test(line);
