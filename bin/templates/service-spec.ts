/** What CloudFormation knows of a resource type, from the specification that the CDK itself is made from. */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Resource } from '@aws-cdk/service-spec-types';

/** A resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The part of a template that is compared. */
export interface CfnTemplate {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

export const database = loadAwsServiceSpecSync();

/** The specification of a type; undefined when CloudFormation has no such type. */
export function specOf(type: string): Resource | undefined {
  return database.lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

/** Whether a resource of this type holds data that is lost with it. */
export const isStateful = ({ Type }: TemplateResource): boolean => specOf(Type)?.isStateful === true;

/** Properties whose change makes CloudFormation put another resource in the place of this one. */
export function replacingProperties(type: string): readonly string[] {
  return Object.entries(specOf(type)?.properties ?? {})
    .filter(([, { causesReplacement = 'no' }]) => causesReplacement !== 'no')
    .map(([name]) => name);
}
