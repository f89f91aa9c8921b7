/** What an event of WeChat's push does to the user whom it is about. */
import type { Administration } from '../users/administer.ts';
import type { PersonalData, PushEvent } from './push-event.ts';

type Cleared = Parameters<Administration['clear']>[1][number];

/** What is held here of what a user can take back; an e-mail address is not. */
const heldAs: Readonly<Partial<Record<PersonalData, Cleared>>> = {
  nickname: 'username',
  avatar: 'avatar',
  phone: 'phone',
};

/** Creates it. A user who was created after the event is another one, and is left alone. */
export function createAct(options: {
  readonly administration: Pick<Administration, 'findByGuard' | 'clear' | 'erase'>;
  /** Is told of each user who was erased. */
  readonly onErased: () => void;
}): (event: PushEvent) => Promise<void> {
  const { administration, onErased } = options;
  return async (event) => {
    const user = await administration.findByGuard(event.appid, event.openid);
    if (user === undefined || (user.createdAt ?? 0) > event.createdAt) return;
    const { userId } = user;
    if (event.name === 'user_authorization_cancellation') {
      if (await administration.erase(userId, { by: 'wechat', reason: event.name })) onErased();
      return;
    }
    const taken: readonly PersonalData[] =
      event.name === 'user_info_modified' ? ['nickname', 'avatar'] : event.revoked;
    const cleared = taken.map((data) => heldAs[data]).filter((member) => member !== undefined);
    if (cleared.length === 0) return;
    const reason = `${event.name}: ${cleared.join(', ')}`;
    await administration.clear(userId, cleared, { by: 'wechat', reason });
  };
}
