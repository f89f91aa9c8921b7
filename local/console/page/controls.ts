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
  return said(response);
}

/** @throws Error with what the controls say */
export async function readState(): Promise<RunState> {
  return said(await fetch('/_local/state'));
}

async function said<T>(response: Response): Promise<T> {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}
