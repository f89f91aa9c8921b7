/** What `POST /member/logout` is sent. */
import * as v from 'valibot';
import { flag } from './flag.ts';

export const logoutRequest = v.object({ all: flag('all') });
