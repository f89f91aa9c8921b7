/** Refuses properties that are not known: silence would make the local run differ from the cloud. */
import { unsupported } from '../errors.ts';

/** The known properties, their names with a space between. */
export interface KnownProperties {
  readonly emulated: string;
  /** They make no difference on one machine: texts, logs, throttling, hardware, protection. */
  readonly ignored?: string;
}

/**
 * Refuses unknown properties.
 *
 * @param where the logical id, or the logical id and property path, that holds them
 * @throws LocalRunError naming the first property that is unknown
 */
export function refuseUnknown(where: string, properties: object, known: KnownProperties): void {
  const names = new Set(`${known.emulated} ${known.ignored ?? ''}`.split(' '));
  for (const property of Object.keys(properties))
    if (!names.has(property)) throw unsupported(`${where}.${property}`, 'this property');
}
