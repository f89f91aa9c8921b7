import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTemplate } from '../../src/template/assembly.ts';
import { writeAssembly } from '../fixtures/assembly.ts';

describe('loading a template', () => {
  test('finds the stack, its resources, and the directory of each asset', () => {
    const directory = writeAssembly({ Role: { Type: 'AWS::IAM::Role' } }, { Fn: '' });

    const template = loadTemplate(directory);

    expect(template.stackName).toBe('Demo');
    expect(template.resources).toEqual({ Role: { Type: 'AWS::IAM::Role' } });
    expect(template.assets).toEqual(new Map([['Fn.zip', join(directory, 'asset.Fn')]]));
  });

  test('refuses an assembly without exactly one stack, naming those there are', () => {
    const stack = { type: 'aws:cloudformation:stack', properties: { templateFile: 'Demo.template.json' } };
    const directory = writeAssembly({});
    const holding = (artifacts: object) => () => {
      writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts }));
      return loadTemplate(directory);
    };

    expect(holding({ A: stack, B: stack })).toThrow('exactly one stack; it holds: A, B.');
    expect(holding({})).toThrow('exactly one stack; it holds: none.');
  });

  test('says which file it cannot read', () => {
    expect(() => loadTemplate('/nowhere')).toThrow('Cannot read /nowhere/manifest.json');
  });
});
