/** The requests that the bench sends straight to a function, without a gateway. */
import type { FunctionName } from '../../functions/contracts/environment.ts';
import type { LocalService } from '../../local/service.ts';
import { newOpenid, wxLogin } from '../wx-login.ts';

/** One kind of request, as a function gets it. */
export interface Requests {
  readonly row: string;
  readonly bundle: FunctionName;
  /** What its function's logical id begins with. */
  readonly idPrefix: string;
  readonly events: (count: number) => Promise<readonly object[]>;
}

/** Logs a user in, whose requests these are. */
export async function createRequests({ url, simulatorUrl = '' }: LocalService): Promise<readonly Requests[]> {
  const nextCode = wxLogin(simulatorUrl, newOpenid());
  const response = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: await nextCode() }),
  });
  const { data } = (await response.json()) as { data: { token: string; user_id: string } };
  const claims = JSON.parse(Buffer.from(data.token.split('.')[1] ?? '', 'base64url').toString());
  const headers = { Host: 'localhost', Authorization: `Bearer ${data.token}` };
  const requestContext = { requestId: '00000000-0000-4000-8000-000000000000' };
  const authorizer = {
    ...claims,
    user_id: claims.sub,
    appid: claims.client_id,
    auth_time: String(claims.auth_time),
    expires_at: String(claims.exp),
  };
  const repeated = (event: object) => async (count: number) => Array.from({ length: count }, () => event);
  return [
    {
      row: 'POST /member/login',
      bundle: 'login',
      idPrefix: 'LoginFunction',
      events: (count) =>
        Promise.all(
          Array.from({ length: count }, async () => ({
            httpMethod: 'POST',
            resource: '/member/login',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ code: await nextCode() }),
            requestContext,
          })),
        ),
    },
    {
      row: 'the authorizer',
      bundle: 'authorizer',
      idPrefix: 'AuthorizerFunction',
      events: repeated({
        type: 'REQUEST',
        httpMethod: 'GET',
        methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/member/me',
        headers,
        multiValueHeaders: { Authorization: [headers.Authorization] },
        requestContext,
      }),
    },
    {
      row: 'GET /member/me',
      bundle: 'member',
      idPrefix: 'MemberFunction',
      events: repeated({
        httpMethod: 'GET',
        resource: '/member/me',
        headers,
        body: null,
        requestContext: { ...requestContext, authorizer },
      }),
    },
  ];
}
