/** Puts a page, its title and the tabs into the member's language. */
import { type Texts, texts } from './texts';

export function localize(page: { setData(data: object): void }, title: keyof Texts['titles']): void {
  const t = texts();
  page.setData({ t });
  wx.setNavigationBarTitle({ title: t.titles[title] });
  t.tabs.forEach((text, index) => {
    wx.setTabBarItem({ index, text });
  });
}
