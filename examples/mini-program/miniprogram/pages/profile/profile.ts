/** The member's own profile; every part of it is optional, and a refusal ends nothing. */
import type { Profile } from 'wechat-login-client';
import { avatarOf, keepAvatar } from '../../avatar';
import { localize } from '../../localize';
import { client } from '../../login';
import { type Action, act, load, loading, type Status, showFailure } from '../../status';
import { texts } from '../../texts';

Page({
  data: {
    t: texts(),
    status: loading() as Status,
    profile: {} as Partial<Profile>,
    avatar: '',
    isBusy: false,
  },

  onShow() {
    localize(this, 'profile');
    this.load();
  },

  load(before: Promise<void> = Promise.resolve()) {
    return load(this, async () => {
      await before;
      const profile = await client().me();
      return { profile, avatar: avatarOf(profile.user_id) || profile.avatar };
    });
  },

  onAct({ detail }: { detail: { action: Action } }) {
    this.load(act(detail.action));
  },

  onAvatar({ detail }: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    const userId = this.data.profile.user_id;
    if (!userId) return;
    keepAvatar(userId, detail.avatarUrl);
    this.setData({ avatar: avatarOf(userId) });
  },

  /** With a form, because WeChat may clear a nickname that it finds risky after the member has left the field. */
  onSave({ detail }: WechatMiniprogram.CustomEvent<{ value: { nickname: string } }>) {
    return this.change(texts().saved, () => client().updateMe({ nickname: detail.value.nickname }));
  },

  onPhone({ detail }: WechatMiniprogram.CustomEvent<{ code?: string; errMsg: string }>) {
    const { code, errMsg } = detail;
    if (code) return this.change(texts().phoneBound, () => client().bindPhone({ code }));
    // The member said no, which needs no comment.
    if (!/deny|cancel/.test(errMsg)) wx.showToast({ title: texts().phoneUnavailable, icon: 'none' });
    return Promise.resolve();
  },

  async onUnbindPhone() {
    const t = texts();
    const { confirm } = await wx.showModal({
      title: t.unbindPhone,
      content: t.unbindPhoneText,
      confirmText: t.confirm,
      cancelText: t.cancel,
    });
    if (!confirm) return;
    await this.change(t.phoneUnbound, () => client().request({ url: '/member/phone', method: 'DELETE' }));
  },

  /** One change at a time, then what the service says the profile is. */
  async change(done: string, work: () => Promise<unknown>) {
    if (this.data.isBusy) return;
    this.setData({ isBusy: true });
    try {
      await work();
      await this.load();
      wx.showToast({ title: done, icon: 'success' });
    } catch (error) {
      await showFailure(error);
    }
    this.setData({ isBusy: false });
  },
});
