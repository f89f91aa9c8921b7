/** A domain of the team's own on the API; its DNS record is the team's to make. */
import { Aws, CfnRule, Fn } from 'aws-cdk-lib';
import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings.ts';

/** The stage's setting, and the API. */
export interface CustomDomainProps extends NonNullable<StageSettings['customDomain']> {
  /** What is served at its root. */
  readonly api: RestApi;
}

/** A regional custom domain of API Gateway. */
export class CustomDomain extends Construct {
  /** Where the domain's DNS record has to point. */
  readonly target: string;

  constructor(scope: Construct, id: string, { name: domainName, certificateArn, api }: CustomDomainProps) {
    super(scope, id);
    // CloudFormation checks a rule before it makes anything; API Gateway would refuse half-way.
    new CfnRule(this, 'CertificateIsHere', {
      assertions: [
        {
          assert: Fn.conditionEquals(Aws.REGION, certificateArn.split(':')[3]),
          assertDescription: `The certificate of the customDomain must be in this region; it is ${certificateArn}`,
        },
      ],
    });
    const name = new DomainName(this, 'Name', {
      domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    name.addBasePathMapping(api, { stage: api.deploymentStage });
    this.target = name.domainNameAliasDomainName;
  }
}
