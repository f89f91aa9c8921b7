/** What the API that calls says of itself: the central authorizer decides for the APIs of many teams. */
import { ALLOWED_APPIDS_VARIABLE } from '../contracts/appids.ts';

/**
 * The mini-programs that the API's stage lets in; `undefined` where it does not say. Stage variables stand in the events
 * of all kinds of API but REST TOKEN and AppSync, apart from all that a client sends.
 */
export function appidsAllowedByStage(event: object): readonly string[] | undefined {
  const variables = 'stageVariables' in event ? event.stageVariables : undefined;
  const list = (variables as Readonly<Record<string, unknown>> | null | undefined)?.[ALLOWED_APPIDS_VARIABLE];
  return list === undefined ? undefined : String(list).split(',');
}
