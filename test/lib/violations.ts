/**
 * What CDK has checked before a deployment: its own rules, and with them AWS's
 * (https://github.com/aws-cloudformation/cloudformation-validate), which take seconds to start and little for each template.
 */
import { App, CloudFormationValidatePlugin, type PolicyValidationStack } from 'aws-cdk-lib';

/** A template's file, and where it is to be deployed. */
export type Checked = Omit<PolicyValidationStack, 'stackConstructPath'>;

/** What is found in each template, by its file; all at once, because each check of other types starts anew. */
export function violationsIn(templates: readonly Checked[]): ReadonlyMap<string, readonly string[]> {
  const { violations } = new CloudFormationValidatePlugin().validate({
    appConstruct: new App(),
    templatePaths: templates.map(({ templatePath }) => templatePath),
    stackTemplates: templates.map((template) => ({ ...template, stackConstructPath: '' })),
  });
  const found = new Map<string, string[]>(templates.map(({ templatePath }) => [templatePath, []]));
  for (const { ruleName, description, violatingResources } of violations)
    for (const { templatePath = '', resourceLogicalId = '' } of violatingResources)
      found.get(templatePath)?.push(`${ruleName} ${resourceLogicalId}: ${description}`);
  return found;
}
