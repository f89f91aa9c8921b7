import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../src/api-gateway/rest/mapping-template.ts';

const context = { requestId: 'id-1', identity: { sourceIp: '127.0.0.1', userAgent: null } };
const render = (text: string, body = '{}') => compileTemplate(text, 'Method')(context, body);

describe('a mapping template', () => {
  it('renders context variables, and nothing where there is no value', () => {
    expect(render('{"id":"$context.requestId","agent":"$context.identity.userAgent"}').text).toBe(
      '{"id":"id-1","agent":""}',
    );
  });

  it('reads the body by path, as the text that it holds, whatever that looks like', () => {
    const held = '{"keys":["$context.requestId #set($x = 1) \\" 中"]}';
    const body = JSON.stringify({ Item: { jwks: { S: held } } });

    expect(render("$input.path('$.Item.jwks.S')", body).text).toBe(held);
  });

  it('decides by what the body holds, and overrides status and headers', () => {
    const text = `#set($name = $input.path('$.name'))
#if($name && $name != "")$name#else
#set($context.responseOverride.status = 503)
#set($context.responseOverride.header.Cache-Control = "no-store")
none
#end`;

    expect(render(text, '{"name":"x"}')).toEqual({ text: 'x', headers: {} });
    for (const body of ['{}', '{"name":""}', '{"name":null}', '[]', '"name"']) {
      const rendering = render(text, body);
      expect(rendering).toMatchObject({ status: 503, headers: { 'Cache-Control': 'no-store' } });
      expect(rendering.text.trim()).toBe('none');
    }
  });

  it('is refused, by name, for anything that this gateway does not play', () => {
    for (const text of [
      '$context.unknown',
      '$context.responseOverride.status',
      '#set($context.requestOverride.path.x = 1)',
      '#set($context.responseOverride.body = 1)',
      '#set($input = 1)',
      '$stageVariables.x',
      '$undeclared',
      '$input.body',
      "$input.json('$')",
      "$input.path('$.x').size()",
      "$input.path('$.x', '$.y')",
      '$util.parseJson($input.body)',
      '$context.requestId.length()',
      '#foreach($x in [1,2])$x#end',
      '#if($context.requestId.toString().contains("a"))x#end',
      '#if(1 > 0)x#end',
      '#set($x = "$context.requestId")',
      '#macro(f)x#end',
      '#f()',
      '#parse("x")',
    ]) {
      expect(() => compileTemplate(text, 'Method.RequestTemplates'), text).toThrow(
        /^Method\.RequestTemplates: .*(not supported|no Velocity)/,
      );
    }
    expect(() => render("$input.path('$..x')")).toThrow('the path $..x');
    expect(() => render("$input.path('$.x')", '{"x":{}}')).toThrow('to an object or a list');
  });
});
