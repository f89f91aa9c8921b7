import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../bin/command/errors.ts';
import { readOptions } from '../../../bin/command/options.ts';
import { options, readArguments } from '../../../bin/members/arguments.ts';

const id = 'c0ffee00-0000-4000-8000-000000000000';
const read = (args: readonly string[]) =>
  readArguments(readOptions(args, { options, allowPositionals: true }));
const line = (text: string) => text.split(' ').filter((word) => word !== '');

describe('the command line', () => {
  it('names a command, a user, a reason and where', () => {
    expect(read([...line(`ban --stage prod --user-id ${id}`), '--reason', ' spam, ticket 7 '])).toEqual({
      command: { name: 'ban', userId: id, reason: 'spam, ticket 7' },
      target: { kind: 'stage', stage: 'prod' },
    });
    expect(read(line(`erase --table t --user-id ${id} --reason asked --yes`))).toEqual({
      command: { name: 'erase', userId: id, reason: 'asked', confirmed: true },
      target: { kind: 'table', tableName: 't' },
    });
    expect(
      read(line('find --openid oAB_-c --appid wx1 --table t --local http://127.0.0.1:1 --show')),
    ).toEqual({
      command: {
        name: 'find',
        search: { kind: 'openid', openid: 'oAB_-c', appid: 'wx1' },
        json: false,
        show: true,
      },
      target: { kind: 'local', tableName: 't', endpoint: 'http://127.0.0.1:1' },
    });
  });

  it('is refused when it is wrong, in words that repeat no value', () => {
    const wrong: Record<string, string> = {
      '': 'Name a command',
      oSECRET: 'no such command',
      toString: 'no such command',
      'find --stage dev': 'one of --user-id',
      [`find --stage dev --user-id ${id} --openid oSECRET`]: 'one of --user-id',
      'find --stage dev --user-id oSECRET': 'UUID',
      'find --stage dev --unionid oSECRET --appid wx1': '--appid goes with --openid',
      'find --stage dev --openid oSECRET#x': '--openid must be',
      'find --stage dev --openid': 'lacks its value',
      'find --openid oSECRET': 'Say where',
      'find --openid oSECRET --stage dev --table t': 'Say where',
      'find --openid oSECRET --stage oSECRET/x': '--stage must be letters',
      'find --openid oSECRET --stage dev --local http://127.0.0.1:1': '--local goes with --table',
      'find --openid oSECRET --table t --local oSECRET': '--local must be the URL',
      'find --openid oSECRET --stage dev --oSECRET': 'no such option',
      'find --openid oSECRET --stage dev --yes': 'find has no option --yes',
      [`ban --stage dev --user-id ${id}`]: '--reason',
      [`unban --stage dev --user-id ${id}`]: '--reason',
      [`revoke --stage dev --user-id ${id}`]: '--reason',
      [`erase --stage dev --user-id ${id} --yes`]: '--reason',
      [`ban --stage dev --user-id ${id} --reason oSECRET words`]: 'quotes',
      [`ban --stage dev --user-id ${id} --reason oSECRET\nline`]: 'one line',
      [`ban --stage dev --user-id ${id} --reason ${'oSECRET'.repeat(100)}`]: 'at most 500',
      'ban --stage dev --openid oSECRET --reason x': 'ban has no option --openid',
      [`export --stage dev --user-id ${id} --reason x`]: 'export has no option --reason',
    };
    for (const [text, why] of Object.entries(wrong)) {
      const reading = () => read(line(text));
      expect(reading, text).toThrow(UsageError);
      expect(reading, text).toThrow(why);
      expect(reading, text).not.toThrow(/SECRET/);
    }
  });
});
