import { expect, it } from 'vitest';
import { demoMiniProgram, demoMiniPrograms } from '../../local/service.ts';

it('knows the demo mini-program and those of the stage, each once', () => {
  const appids = (of: readonly string[]) => demoMiniPrograms(of).map(({ appid }) => appid);

  expect(appids(['wxteam1', 'wxteam2'])).toEqual([demoMiniProgram.appid, 'wxteam1', 'wxteam2']);
  expect(appids([demoMiniProgram.appid])).toEqual([demoMiniProgram.appid]);
});
