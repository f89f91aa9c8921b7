/**
 * Asks the member before WeChat hands out their picture, nickname or phone number, and only then. A refusal is
 * remembered by WeChat, and ends nothing but what needed the consent.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/user-privacy/PrivacyAuthorize.html
 */

type Resolve = (result: { event: 'agree' | 'disagree'; buttonId?: string }) => void;

/** Those who wait for the member's decision: several calls may ask at once. */
let waiting: Resolve[] = [];

function decide(event: 'agree' | 'disagree', buttonId?: string): void {
  for (const resolve of waiting) resolve(buttonId ? { event, buttonId } : { event });
  waiting = [];
}

Component({
  properties: {
    t: { type: Object, value: {} },
  },
  data: { isShown: false },
  lifetimes: {
    attached() {
      // Base library 2.32.3 and later; before that nothing has to be asked.
      if (!wx.onNeedPrivacyAuthorization) return;
      wx.onNeedPrivacyAuthorization((resolve) => {
        // The typings do not know that it can be called.
        waiting.push(resolve as unknown as Resolve);
        this.setData({ isShown: true });
      });
    },
  },
  methods: {
    onContract() {
      wx.openPrivacyContract({});
    },
    onAgree() {
      this.setData({ isShown: false });
      decide('agree', 'agree-privacy');
    },
    onDisagree() {
      this.setData({ isShown: false });
      decide('disagree');
    },
  },
});
