/**
 * Runs one page of the example in a browser: WeChat's own component framework renders the compiled templates, the
 * page's own code fills them. Bundled into the HTML that `screenshots.ts` makes.
 */
import { MiniProgramEnv } from 'glass-easel-miniprogram-adapter';
import { createLoader, type Evaluate } from '../host/modules.ts';
import { createServices, type Known } from '../host/services.ts';
import { createWx } from '../host/wx.ts';

/** What is shown in one picture. */
export interface Scene {
  readonly page: string;
  readonly language: 'zh_CN' | 'en';
  readonly known: Known;
  readonly isOffline?: boolean;
  /** Logged out, or asked for consent, once the page has loaded. */
  readonly after?: 'logout' | 'privacy';
}

type Template = Parameters<ReturnType<MiniProgramEnv['createCodeSpace']>['addCompiledTemplate']>[1];
type StaticConfig = Parameters<ReturnType<MiniProgramEnv['createCodeSpace']>['addComponentStaticConfig']>[1];

/** The app as `screenshots.ts` hands it over. */
export interface Rendering {
  readonly scene: Scene;
  readonly modules: Record<string, string>;
  /** Compiled templates by path. */
  readonly groups: Template['groupList'];
  /** Pages and components with their JSON, components first. */
  readonly configs: readonly (readonly [path: string, config: StaticConfig])[];
}

declare const document: {
  getElementById(
    id: string,
  ):
    | (object & { textContent: string; children: ArrayLike<{ textContent: string; className: string }> })
    | null;
  title: string;
};

function element(id: string) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no ${id}`);
  return found;
}

const evaluate: Evaluate = (source, _path, scope) => {
  new Function(...Object.keys(scope), source)(...Object.values(scope));
};

/** Shows the scene; the document's title says when it is done, or what went wrong. */
export async function render({ scene, modules, groups, configs }: Rendering): Promise<void> {
  const wx = createWx({
    login: async () => 'a-code',
    answer: createServices(scene.known).answer,
    language: scene.language,
    ...(scene.isOffline !== undefined && { isOffline: scene.isOffline }),
  });
  const env = new MiniProgramEnv();
  const space = env.createCodeSpace('', true);
  let define: Record<string, unknown> = {};
  const globals = {
    wx: wx.api,
    App: () => undefined,
    Page: (definition: object) => Reflect.apply(Object(define.Page), undefined, [definition]),
    Component: (definition: object) => Reflect.apply(Object(define.Component), undefined, [definition]),
  };
  const load = createLoader(modules, globals, evaluate);
  for (const [path, config] of configs) {
    space.addComponentStaticConfig(path, config);
    const content = groups?.[path];
    if (content !== undefined) space.addCompiledTemplate(path, { groupList: groups, content } as Template);
    space.componentEnv(path, ({ Page, Component }) => {
      define = { Page, Component };
      load(path);
    });
  }
  const root = env.associateBackend().createRoot('page-root', space, scene.page);
  const place = element('place');
  root.attach(Reflect.get(place, 'parentNode'), place as never);
  const page = root.get();
  const call = (handler: string): unknown => Reflect.apply(Reflect.get(page, handler), page, []);
  call('onShow');
  await settle();
  if (scene.after === 'logout') {
    await call('onLogout');
    await settle();
  }
  if (scene.after === 'privacy') wx.needPrivacy();
  element('title').textContent = wx.state.title;
  Array.from(element('tabs').children).forEach((tab, index) => {
    tab.textContent = wx.tabs[index] ?? '';
  });
  document.title = `kind: ${page.data.status.kind}`;
}

/** What is answered at once is shown after some turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 500; turn++) await Promise.resolve();
}
