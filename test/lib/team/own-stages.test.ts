import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { lossesOf } from '../../../bin/templates/recorded.ts';
import { stackOf } from '../../../bin/templates/stage-template.ts';
import { settingsFor, stageNames } from '../../../lib/stages.ts';
import { nagFindings } from '../nag-findings.ts';

/** What holds for any team, whatever it has written into `lib/config.ts`; no other test reads that. */
describe.each(stageNames)('stage %s of lib/config.ts', (stage) => {
  it('has settings that are possible', () => {
    expect(settingsFor(stage).appids.length).toBeGreaterThan(0);
  });

  it('synthesizes for its region', () => {
    const settings = settingsFor(stage);
    const region = settings.customDomain?.certificateArn.split(':')[3] ?? 'eu-west-1';

    Template.fromStack(stackOf(stage, settings, region)).resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
  });

  it('keeps the rules of cdk-nag, or the reason stands beside the construct', () => {
    expect(nagFindings(stackOf(stage, settingsFor(stage)))).toEqual([]);
  });

  it('loses no data against the template that was recorded, if one was', () => {
    expect(lossesOf(stage, settingsFor(stage))).toEqual([]);
  });
});

it('there is a stage dev, from which the local run is synthesized', () => {
  expect(stageNames).toContain('dev');
});
