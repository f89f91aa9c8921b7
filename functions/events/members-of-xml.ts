/**
 * Reads a push message that is XML: elements below one `<xml>`, their text plain or in CDATA. Whatever else XML has is
 * refused: attributes, comments, DOCTYPE and with it entities of one's own.
 */
import { addMember, MAX_DEPTH, type MemberName, type Members, memberNamed } from './members.ts';
import { PushRefusal } from './push-refusal.ts';

const CDATA = '<![CDATA[';
const CDATA_END = ']]>';

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&apos;': "'",
};

/** @throws PushRefusal `unreadable` */
export function membersOfXml(text: string): Members {
  const members = new Map<MemberName, string>();
  const open: string[] = [];
  let rootSeen = false;
  /** The member that is open, if it is one that is read, and its text so far. */
  let member: MemberName | undefined;
  let value = '';

  const takeText = (characters: string, raw: boolean) => {
    if (open.length < 2 && characters.trim() !== '') throw new PushRefusal('unreadable');
    if (open.length === 2 && member !== undefined) value += raw ? characters : withoutEntities(characters);
  };
  const startElement = (name: string) => {
    const isRoot = open.length === 0;
    if (open.length === MAX_DEPTH || (isRoot && (rootSeen || name !== 'xml')))
      throw new PushRefusal('unreadable');
    rootSeen = true;
    open.push(name);
    if (open.length !== 2) return;
    member = memberNamed(name);
    value = '';
  };
  const endElement = (name: string) => {
    if (open.pop() !== name) throw new PushRefusal('unreadable');
    if (open.length === 1 && member !== undefined) addMember(members, member, value);
  };

  const body = text.trim().replace(/^<\?xml [^>]*\?>/, '');
  for (let at = 0; at < body.length; ) {
    const start = indexOf(body, '<', at);
    takeText(body.slice(at, start), false);
    if (body.startsWith(CDATA, start)) {
      const end = indexOf(body, CDATA_END, start);
      takeText(body.slice(start + CDATA.length, end), true);
      at = end + CDATA_END.length;
      continue;
    }
    const end = indexOf(body, '>', start);
    // One of WeChat's samples has a space before a name.
    const [, closing, name = '', empty] =
      /^(\/?)\s*([A-Za-z_][\w.-]*)\s*(\/?)$/.exec(body.slice(start + 1, end).trim()) ?? [];
    if (closing === undefined || (closing && empty)) throw new PushRefusal('unreadable');
    if (!closing) startElement(name);
    if (closing || empty) endElement(name);
    at = end + 1;
  }
  if (open.length > 0 || !rootSeen) throw new PushRefusal('unreadable');
  return members;
}

/** Where the next `mark` is. @throws PushRefusal `unreadable` when there is none */
function indexOf(body: string, mark: string, from: number): number {
  const found = body.indexOf(mark, from);
  if (found === -1) throw new PushRefusal('unreadable');
  return found;
}

function withoutEntities(characters: string): string {
  return characters.replace(/&[^;&]{0,8};?/g, (entity) => {
    const character = entities[entity];
    if (character === undefined) throw new PushRefusal('unreadable');
    return character;
  });
}
