/** Reads a push message that is JSON. */
import { addMember, MAX_DEPTH, type MemberName, type Members, memberNamed } from './members.ts';
import { PushRefusal } from './push-refusal.ts';

/** @throws PushRefusal `unreadable` */
export function membersOfJson(text: string): Members {
  if (depthOf(text) > MAX_DEPTH) throw new PushRefusal('unreadable');
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PushRefusal('unreadable');
  const members = new Map<MemberName, string>();
  for (const [rawName, member] of Object.entries(value)) {
    const name = memberNamed(rawName);
    if (name !== undefined) addMember(members, name, textOf(member));
  }
  return members;
}

/** Numbers become the text that stands for them. */
function parse(text: string): unknown {
  const keepDigits = (_name: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  try {
    return JSON.parse(withoutLastComma(text.trim()), keepDigits);
  } catch {
    // The parser's own message quotes the body, so it goes nowhere.
    throw new PushRefusal('unreadable');
  }
}

/** One of WeChat's samples has a comma before its last brace. Nothing that is JSON ends like this. */
function withoutLastComma(text: string): string {
  const members = text.slice(0, -1).trimEnd();
  return text.endsWith('}') && members.endsWith(',') ? `${members.slice(0, -1)}}` : text;
}

/** A list, which RevokeInfo may be one day, reads as its values between commas. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === 'string').join(',');
  return '';
}

/** Counted before parsing, because the parser would follow any depth. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}
