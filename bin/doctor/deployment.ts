/** What the doctor looks at. */

/** The deployment that is checked. */
export interface Deployment {
  /** Base URL where it is looked at; without a slash at the end. */
  readonly url: string;
  /** Issuer of its tokens; the same, unless it is looked at where clients do not reach it. */
  readonly issuer: string;
  /** Stage, when the rest was read from what it publishes. */
  readonly stage: string | undefined;
  /** Mini-programs to check; undefined for the default one. */
  readonly appids: readonly (string | undefined)[];
  /** Days between two rotations of the signing key. */
  readonly keyRotationDays: number;
}
