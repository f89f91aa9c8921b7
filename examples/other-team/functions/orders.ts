/** The handler behind every route: it need not know the token or the kind of API. */
import { memberOf, type ProtectedEvent } from 'wechat-login/member';

export const handler = async (event: ProtectedEvent) => {
  const { userId } = memberOf(event);
  return { statusCode: 200, body: JSON.stringify({ user_id: userId, orders: ['oolong tea'] }) };
};
