/** The browser of the browser tests and the screenshots: one that is on this machine, because none is downloaded for them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** What somebody reads who has none. */
export const WITHOUT_CHROMIUM =
  'The browser tests were not run: there is no Chromium. Install it (apt-get install chromium) or name one in CHROMIUM, then npm test runs them.';

/** How it is started. */
export const CHROMIUM_OPTIONS = {
  // Chromium refuses its sandbox to root, as whom containers often run.
  chromiumSandbox: process.getuid?.() !== 0,
  args: [
    // As if the network was off: there is nothing but this machine.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--proxy-server=direct://',
    // The pages behind its own toolbar, which take half of its time and nobody sees. Chromium takes the last list of
    // this name alone, so what of Playwright's own touches a page of 127.0.0.1 is here again.
    '--disable-features=PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup,' +
      'AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,PaintHolding',
  ],
};

/** Path of a Chromium. @throws Error when there is none */
export function requireChromium(): string {
  const path = findChromium();
  if (path === undefined) throw new Error(WITHOUT_CHROMIUM);
  return path;
}

/** Path of a Chromium, undefined when there is none. */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  const candidates = names.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  return (CHROMIUM ? [CHROMIUM] : candidates).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
