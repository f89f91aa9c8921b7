/** One page of the example as HTML: its compiled templates, its styles, and the bars that WeChat draws around it. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { TmplGroup } from 'glass-easel-template-compiler';
import { type Files, modulesOf } from '../host/app.ts';
import type { Scene } from './browser.ts';

/** Pixels of a small phone. */
export const WIDTH = 375;
export const HEIGHT = 667;

/** The script that renders. */
export async function bundleRuntime(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('browser.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    globalName: 'example',
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** One page, with the bars that WeChat draws around it. */
export function htmlOf(files: Files, scene: Scene, runtime: string): string {
  const { window, tabBar, usingComponents, pages } = JSON.parse(files['app.json'] ?? '');
  const group = new TmplGroup();
  const paths = Object.keys(files).flatMap((path) => (path.endsWith('.wxml') ? [path.slice(0, -5)] : []));
  // Pages use components, which have to be there first.
  paths.sort();
  for (const path of paths) group.addTmpl(path, files[`${path}.wxml`] ?? '');
  const configs = paths.map((path) => {
    const own = JSON.parse(files[`${path}.json`] ?? '{}');
    const isPage = pages.includes(path);
    return [path, isPage ? { ...own, usingComponents: { ...usingComponents, ...own.usingComponents } } : own];
  });
  const input = { scene, modules: modulesOf(files), configs };
  const styles = ['app', ...paths].map((path) => styleOf(files[`${path}.wxss`] ?? '')).join('\n');
  const tabs = tabBar.list.map(
    ({ pagePath }: { pagePath: string }) =>
      `<span class="${pagePath === scene.page ? 'current' : ''}"></span>`,
  );
  return `<!doctype html>
<html lang="${scene.language === 'en' ? 'en' : 'zh-CN'}">
<meta charset="utf-8">
<style>
  * { box-sizing: border-box; }
  html, body { height: ${HEIGHT}px; margin: 0; overflow: hidden; font-family: system-ui, 'Noto Sans CJK SC', sans-serif; }
  view, form, page-root, status-view, privacy-notice { display: block; }
  text { display: inline; }
  button { width: 100%; border: 0; font-family: inherit; cursor: pointer; }
  button[size=mini] { width: auto; }
  input { display: block; width: 100%; border: 0; font-family: inherit; color: inherit; }
  .skeleton-circle, .skeleton-line { animation: none !important; }
  #frame { display: flex; flex-direction: column; height: 100%; }
  #title { flex: none; height: 44px; line-height: 44px; text-align: center; font-size: 17px; font-weight: 600; background: ${window.navigationBarBackgroundColor}; }
  #view { position: relative; flex: 1; overflow: hidden; transform: translateZ(0); }
  #tabs { display: flex; flex: none; height: 50px; line-height: 50px; background: ${tabBar.backgroundColor}; color: ${tabBar.color}; font-size: 14px; text-align: center; }
  #tabs span { flex: 1; }
  #tabs .current { color: ${tabBar.selectedColor}; font-weight: 600; }
  ${styles}
</style>
<div id="frame"><div id="title"></div><div id="view"><div class="page-of-app"><div id="place"></div></div></div><div id="tabs">${tabs.join('')}</div></div>
<script>${escapeScript(runtime)}</script>
<script>
  const groups = ${escapeScript(group.getTmplGenObjectGroups())};
  const input = ${escapeScript(JSON.stringify(input))};
  example.render({ ...input, groups }).catch((error) => { document.title = String(error && error.stack || error); });
</script>
</html>`;
}

/** Half a CSS pixel to an rpx, on a screen of 375; `page` is what holds the page. */
function styleOf(wxss: string): string {
  return wxss
    .replaceAll(/(-?[\d.]+)rpx/g, (_match, value) => `${Number(value) / 2}px`)
    .replaceAll(/^page \{/gm, '.page-of-app {');
}

function escapeScript(code: string): string {
  return code.replaceAll('</script', '<\\/script');
}
