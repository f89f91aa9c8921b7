import { expect, it } from 'vitest';
import { maskPhone } from '../../../functions/users/masked-phone.ts';

it.each([
  ['86', '13800138000', '+86 138******00'],
  ['1', '2025550123', '+1 202*****23'],
  ['852', '61234567', '+852 61****67'],
  ['358', '123456789', '+358 12*****89'],
  ['290', '22345', '+290 22*45'],
  ['683', '4002', '+683 ****'],
  ['683', '400', '+683 ***'],
  ['49', '15123456789012', '+49 151*********12'],
])('+%s%s is shown as %s', (countryCode, nationalNumber, shown) => {
  expect(maskPhone({ countryCode, e164: `+${countryCode}${nationalNumber}` })).toBe(shown);
});

it('a number is never shown whole, and its length is kept', () => {
  for (let length = 1; length <= 14; length += 1) {
    const nationalNumber = '1234567890'.repeat(2).slice(0, length);

    const shown = maskPhone({ countryCode: '86', e164: `+86${nationalNumber}` }).slice('+86 '.length);

    expect(shown, nationalNumber).toContain('*');
    expect(shown, nationalNumber).toHaveLength(length);
  }
});
