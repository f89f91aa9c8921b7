/** The first page: logs in silently, and greets. */
import type { Profile } from 'wechat-login-client';
import { avatarOf } from '../../avatar';
import { switchLanguage } from '../../language';
import { localize } from '../../localize';
import { client } from '../../login';
import { type Action, act, load, loading, type Status } from '../../status';
import { texts } from '../../texts';

Page({
  data: {
    t: texts(),
    status: loading() as Status,
    profile: {} as Partial<Profile>,
    avatar: '',
    initial: '',
    isNew: false,
  },

  onShow() {
    localize(this, 'home');
    this.load();
  },

  onPullDownRefresh() {
    this.load().then(() => wx.stopPullDownRefresh());
  },

  load(before: Promise<void> = Promise.resolve()) {
    return load(this, async () => {
      await before;
      const profile = await client().me();
      const session = client().session;
      // By characters: half of an emoji shows as nothing.
      const [initial = '·'] = profile.username;
      return {
        profile,
        avatar: avatarOf(profile.user_id) || profile.avatar,
        initial,
        isNew: !!session && session.isNew,
      };
    });
  },

  onAct({ detail }: { detail: { action: Action } }) {
    this.load(act(detail.action));
  },

  onLanguage() {
    switchLanguage();
    localize(this, 'home');
    this.load();
  },

  onOrders() {
    wx.switchTab({ url: '/pages/orders/orders' });
  },

  onProfile() {
    wx.switchTab({ url: '/pages/profile/profile' });
  },
});
