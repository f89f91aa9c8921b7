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

  it('is refused at start when it sets what is not known, or reads another template', () => {
    for (const text of [
      '#set($context.requestOverride.path.x = 1)',
      '#set($context.responseOverride.body = 1)',
      '#parse("x")',
      '#if($context.requestId',
    ])
      expect(() => compileTemplate(text, 'Method.RequestTemplates'), text).toThrow(
        /^Method\.RequestTemplates: .*(not supported|no Velocity)/,
      );
  });

  it('is refused when it is rendered, by name, for an expression that is not known', () => {
    for (const text of [
      '$context.unknown',
      '$stageVariables.x',
      '$undeclared',
      '$input.body',
      "$input.json('$')",
      "$input.path('$.x').size()",
      '$util.parseJson($input.body)',
      '$context.requestId.length()',
      '#set($x = "$undeclared")$x',
      '$!context.requestId $undeclared.name',
    ]) {
      expect(() => render(text), text).toThrow(/^Method: the expression [$].* is not supported/);
    }
    expect(() => render("$input.path('$..x')")).toThrow('the path $..x');
    expect(() => render("$input.path('$.x')", '{"x":{}}')).toThrow('to an object or a list');
  });
});
