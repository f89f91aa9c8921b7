import { describe, expect, it } from 'vitest';
import type { Members } from '../../../functions/events/members.ts';
import { membersOfJson } from '../../../functions/events/members-of-json.ts';
import { membersOfXml } from '../../../functions/events/members-of-xml.ts';
import { PushRefusal } from '../../../functions/events/push-refusal.ts';

const read = (reader: (text: string) => Members, text: string) => Object.fromEntries(reader(text));
const xml = (text: string) => read(membersOfXml, text);
const json = (text: string) => read(membersOfJson, text);

describe('membersOfXml', () => {
  it('reads text and CDATA, and of members that are not ours nothing', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>
      <xml>
        <ToUserName><![CDATA[gh_1]]></ToUserName>
        <CreateTime>1627359464</CreateTime>
        <OpenID><![CDATA[o<&>1]]></OpenID>
        <RevokeInfo>6&amp;8&lt;&gt;&quot;&apos;</RevokeInfo>
        <AppID></AppID>
        <Encrypt/>
        <List><item><OpenID>o2</OpenID></item><item/></List>
        <Url>https://example.com/?a=1&b=2</Url>
      </xml>`;

    expect(xml(text)).toEqual({
      CreateTime: '1627359464',
      OpenID: 'o<&>1',
      RevokeInfo: `6&8<>"'`,
      AppID: '',
      Encrypt: '',
    });
  });

  it("takes the spaces of WeChat's sample", () => {
    expect(xml('<xml>< OpenID><![CDATA[ o1 ]]></ OpenID ></xml>')).toEqual({ OpenID: 'o1' });
  });

  it("takes users' messages, with control characters and XML of their own", () => {
    const text = '<xml><MsgType>text</MsgType><Content><![CDATA[\u0002<Event>x</Event>]]></Content></xml>';

    expect(xml(text)).toEqual({ MsgType: 'text' });
  });

  it.each([
    ['an empty text', ''],
    ['another root', '<html></html>'],
    ['two roots', '<xml></xml><xml></xml>'],
    ['text beside the root', '<xml></xml>x'],
    ['text between the members', '<xml>x</xml>'],
    ['CDATA between the members', '<xml><![CDATA[x]]></xml>'],
    ['attributes', '<xml><OpenID a="b">o1</OpenID></xml>'],
    ['a comment', '<xml><!-- --><OpenID>o1</OpenID></xml>'],
    ['a DOCTYPE', '<!DOCTYPE xml [<!ENTITY a "b">]><xml><OpenID>o1</OpenID></xml>'],
    ['an entity of its own', '<xml><OpenID>&a;</OpenID></xml>'],
    ['a character reference', '<xml><OpenID>&#111;1</OpenID></xml>'],
    ['an instruction', '<xml><?php 1 ?></xml>'],
    ['a member twice', '<xml><OpenID>o1</OpenID><OpenID>o2</OpenID></xml>'],
    ['a member that does not end', '<xml><OpenID>o1</xml>'],
    ['an end without a start', '<xml></OpenID></xml>'],
    ['an end that is empty', '<xml><OpenID></OpenID/></xml>'],
    ['a root that does not end', '<xml><OpenID>o1</OpenID>'],
    ['a tag that does not end', '<xml><OpenID'],
    ['CDATA that does not end', '<xml><OpenID><![CDATA[o1</OpenID></xml>'],
    ['seventeen levels', `<xml>${'<a>'.repeat(16)}${'</a>'.repeat(16)}</xml>`],
  ])('refuses %s', (_what, text) => {
    expect(() => xml(text)).toThrow(PushRefusal);
  });

  it('takes sixteen levels', () => {
    expect(xml(`<xml>${'<a>'.repeat(15)}${'</a>'.repeat(15)}</xml>`)).toEqual({});
  });
});

describe('membersOfJson', () => {
  it('keeps 64-bit numbers as they are written', () => {
    expect(json('{"MsgId":6054768590064713729,"CreateTime":1627359464,"OpenID":"o1"}')).toEqual({
      MsgId: '6054768590064713729',
      CreateTime: '1627359464',
      OpenID: 'o1',
    });
  });

  it("takes the spaces and the last comma of WeChat's sample", () => {
    expect(json('{ " OpenID": " o1",\n "AppID": "wx1, }" ,\n}\n')).toEqual({ OpenID: 'o1', AppID: 'wx1, }' });
  });

  it('takes a list of numbers or texts, and nothing else, for text', () => {
    const text =
      '{"RevokeInfo":[6,"8",null,{}],"OpenID":{"a":1},"AppID":null,"Encrypt":false,"__proto__":{}}';

    expect(json(text)).toEqual({ RevokeInfo: '6,8', OpenID: '', AppID: '', Encrypt: '' });
  });

  it.each([
    ['an empty text', ''],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['nothing', 'null'],
    ['two commas', '{"OpenID":"o1",,}'],
    ['half', '{"OpenID":"o1"'],
    ['a comment', '{/* */}'],
    ['a member twice, once with a space', '{"OpenID":"o1"," OpenID":"o2"}'],
    ['seventeen levels', `{"a":${'['.repeat(16)}${']'.repeat(16)}}`],
    ['more levels than the parser could take', '['.repeat(60_000)],
  ])('refuses %s', (_what, text) => {
    expect(() => json(text)).toThrow(PushRefusal);
  });

  it('takes sixteen levels, and does not count brackets in texts', () => {
    const nested = `${'['.repeat(15)}"\\"${'['.repeat(99)}"${']'.repeat(15)}`;

    expect(json(`{"a":${nested},"OpenID":"o1"}`)).toEqual({ OpenID: 'o1' });
  });
});
