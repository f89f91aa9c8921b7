/** A route of another team, opened by the same login (`examples/other-team`). */
import { ORDERS_URL } from '../../config';
import { localize } from '../../localize';
import { client } from '../../login';
import { type Action, act, load, loading, type Status } from '../../status';
import { texts } from '../../texts';

/** What the orders service responds: another team's body, as it is. */
interface Orders {
  readonly user_id: string;
  readonly orders: readonly string[];
}

Page({
  data: { t: texts(), status: loading() as Status, orders: [] as readonly string[] },

  onShow() {
    localize(this, 'orders');
    this.load();
  },

  onPullDownRefresh() {
    this.load().then(() => wx.stopPullDownRefresh());
  },

  load(before: Promise<void> = Promise.resolve()) {
    return load(this, async () => {
      await before;
      const { orders } = await client().request<Orders>({ url: `${ORDERS_URL}/orders` });
      const t = texts();
      const empty: Status = { kind: 'empty', title: t.noOrders, text: t.noOrdersText };
      return orders.length > 0 ? { orders } : { orders, status: empty };
    });
  },

  onAct({ detail }: { detail: { action: Action } }) {
    this.load(act(detail.action));
  },
});
