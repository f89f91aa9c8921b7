/** Logout, here and everywhere, and the end of the account. */
import { forgetAvatar } from '../../avatar';
import { localize } from '../../localize';
import { client } from '../../login';
import { type Action, act, load, loading, loggedOut, type Status, showFailure } from '../../status';
import { texts } from '../../texts';

/** Asks the member; resolves with whether they agree. */
async function ask(title: string, content: string, confirmText: string): Promise<boolean> {
  const { confirm } = await wx.showModal({ title, content, confirmText, cancelText: texts().cancel });
  return confirm;
}

Page({
  data: { t: texts(), status: loading() as Status, userId: '' },

  onShow() {
    localize(this, 'account');
    // What is left of an account that was just deleted stays until the member logs in.
    if (this.data.status.kind !== 'done' || client().session) this.load();
  },

  load(before: Promise<void> = Promise.resolve()) {
    return load(this, async () => {
      await before;
      await client().token();
      const session = client().session;
      return { userId: session ? session.userId : '' };
    });
  },

  onAct({ detail }: { detail: { action: Action } }) {
    this.load(act(detail.action));
  },

  async onLogout() {
    await client().logout();
    this.setData({ status: loggedOut(texts()) });
  },

  async onLogoutAll() {
    const t = texts();
    if (!(await ask(t.logoutAll, t.logoutAllText, t.confirm))) return;
    await client().logout({ all: true });
    this.setData({ status: loggedOut(texts()) });
  },

  /** Asked twice, and done by the member alone. */
  async onDelete() {
    const t = texts();
    if (!(await ask(t.deleteAccount, t.deleteFirst, t.confirm))) return;
    if (!(await ask(t.deleteSecondTitle, t.deleteSecond, t.deleteNow))) return;
    const { userId } = this.data;
    try {
      const { closes_at: closesAt } = await client().deleteMe();
      forgetAvatar(userId);
      const status: Status = closesAt
        ? {
            kind: 'done',
            title: t.closing,
            text: t.closingText + closesAt.slice(0, 10),
            action: 'restore',
            button: t.restore,
          }
        : { kind: 'done', title: t.deleted, text: t.deletedText, action: 'login', button: t.login };
      this.setData({ status });
    } catch (error) {
      await showFailure(error);
    }
  },
});
