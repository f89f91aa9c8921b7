/** What `POST /member/phone` is sent. */
import * as v from 'valibot';
import { phoneCode } from './code.ts';
import type { RequestRule } from './request-rules.ts';

export const phoneRequest = v.object({ code: phoneCode }, 'code' satisfies RequestRule);
