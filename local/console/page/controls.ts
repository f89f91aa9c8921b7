/** The page's end of the controls. */
import type { RunState } from '../run-state.ts';

export type { RunState } from '../run-state.ts';

/** @throws Error with what the controls say */
export async function control<T = object>(name: string, body: object = {}): Promise<T> {
  const response = await fetch(`/_local/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await response.json();
  if (!response.ok) throw new Error(said.error);
  return said;
}

export async function readState(): Promise<RunState> {
  return (await fetch('/_local/state')).json();
}
