import { afterAll, expect, it } from 'vitest';
import { type Answer, expectCleanLogs, newOpenid, post, wxLogin } from './service.ts';

afterAll(expectCleanLogs);

const userIds = (answers: readonly Answer[]) => new Set(answers.map((answer) => answer.body.data?.user_id));

it('200 first logins of one openid at once end in one user, in every answer', async () => {
  const openid = newOpenid();
  const codes = await Promise.all(Array.from({ length: 200 }, () => wxLogin({ openid })));

  const answers = await Promise.all(codes.map((code) => post('/member/login', { code })));

  expect(answers.map((answer) => answer.status)).toEqual(Array(200).fill(200));
  expect(userIds(answers).size).toBe(1);
  expect(answers.filter((answer) => answer.body.data.is_new)).toHaveLength(1);
});

it('a code that is sent again logs the same user in', async () => {
  const code = await wxLogin();

  const answers = [await post('/member/login', { code }), await post('/member/login', { code })];

  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  expect(userIds(answers).size).toBe(1);
  expect(answers.map((answer) => answer.body.data.is_new)).toEqual([true, false]);
});

it('a code that is sent 20 times at once logs one user in, 20 times', async () => {
  const code = await wxLogin();

  const answers = await Promise.all(Array.from({ length: 20 }, () => post('/member/login', { code })));

  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(userIds(answers).size).toBe(1);
});
