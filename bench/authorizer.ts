/** Measures the authorizer's decision, from API Gateway's event to the policy, in each variant there is. */
import type { Log } from '../functions/log/logger.ts';
import { type AuthorizerEvent, createAuthorizer } from '../functions/tokens/rest-authorizer.ts';
import { compare, type Measurement, measureInTurn, type Rounds } from './measurement.ts';
import { createVerifierAndToken, type VerifierAndToken } from './tokens.ts';

type Decide = (event: AuthorizerEvent) => Promise<object>;

/** Formats nothing and writes nothing: a line of log costs the same in every variant. */
const silent: Log = { info() {}, error() {} };

/** Every variant of the decision is one entry here, and one row of the report. */
const variants: Readonly<Record<string, (verifier: VerifierAndToken['verifier']) => Decide>> = {
  'authorizer without revocation': (verifier) => createAuthorizer({ verifier, log: silent }),
};

/** Measures; the floor is the verification of the token alone. */
export async function measureAuthorizer(rounds: Rounds): Promise<readonly Measurement[]> {
  const { verifier, token } = await createVerifierAndToken();
  const event: AuthorizerEvent = {
    methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/member/me',
    headers: { Host: 'login.example.com', Authorization: `Bearer ${token}` },
    multiValueHeaders: { Host: ['login.example.com'], Authorization: [`Bearer ${token}`] },
    requestContext: { requestId: '00000000-0000-4000-8000-000000000000' },
  };
  const decisions = Object.entries(variants).map(([row, create]) => {
    const decide = create(verifier);
    return { row, run: () => decide(event) };
  });
  const series = await measureInTurn(
    [{ row: 'our verifier', run: () => verifier.verify(token) }, ...decisions],
    rounds,
  );
  return compare('decide about a request', series);
}
