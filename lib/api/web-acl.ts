/**
 * The web ACL before the API: one address may burn neither WeChat's quota nor a route's throttle for everybody else, and
 * known attacks are turned away.
 */
import { Stack, Validations } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { errorHeaders } from '../../functions/contracts/response-headers.ts';
import { LOGIN_PATH } from '../../functions/contracts/routes.ts';
import type { StageSettings } from '../settings.ts';
import { errorText } from './gateway-responses.ts';

interface WebAclProps {
  /** What it stands before. */
  readonly stage: Stage;
  /** Logins that one address may request within five minutes. */
  readonly loginsPerIpIn5Minutes: number;
  /** Requests of any kind that one address may make in the same time. */
  readonly requestsPerIpIn5Minutes: number;
}

/**
 * Rules of AWS's common set that are counted only. A nickname is free text, which may look like a script or a path and is
 * data to everybody here; the functions check size and form of bodies themselves. And clients that fetch the public keys,
 * such as API Gateway and load balancers, may send no User-Agent.
 * https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
const countedOnly = [
  'SizeRestrictions_BODY',
  'CrossSiteScripting_BODY',
  'GenericLFI_BODY',
  'GenericRFI_BODY',
  'EC2MetaDataSSRF_BODY',
  'NoUserAgent_HEADER',
];

/** Puts a web ACL before the API where the stage wants one. */
export function protectApi(
  scope: Construct,
  stage: Stage,
  settings: Pick<StageSettings, 'webAcl' | 'loginsPerIpIn5Minutes' | 'requestsPerIpIn5Minutes'>,
): void {
  if (settings.webAcl) new WebAcl(scope, 'WebAcl', { stage, ...settings });
  else
    Validations.of(stage).acknowledge({
      id: 'AwsSolutions-APIG3',
      reason: 'A web ACL costs as much as the rest of a stage without users: the setting webAcl adds it.',
    });
}

/** A web ACL of AWS WAF, attached to a stage of the API. */
class WebAcl extends Construct {
  constructor(scope: Construct, id: string, props: WebAclProps) {
    super(scope, id);
    const seenAs = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      cloudWatchMetricsEnabled: true,
      metricName: `${Stack.of(this).stackName}-${metricName}`,
      // A sample shows every header, and with them live tokens.
      sampledRequestsEnabled: false,
    });
    const limitPerAddress = (
      name: string,
      priority: number,
      limit: number,
      scopeDownStatement?: CfnWebACL.StatementProperty,
    ): CfnWebACL.RuleProperty => ({
      name,
      priority,
      action: {
        block: {
          customResponse: {
            responseCode: 429,
            customResponseBodyKey: TOO_MANY,
            responseHeaders: Object.entries(errorHeaders('rate_limited')).map(([header, value]) => ({
              name: header,
              value,
            })),
          },
        },
      },
      statement: {
        rateBasedStatement: {
          aggregateKeyType: 'IP',
          evaluationWindowSec: 300,
          limit,
          ...(scopeDownStatement && { scopeDownStatement }),
        },
      },
      visibilityConfig: seenAs(name),
    });
    const acl = new CfnWebACL(this, 'Acl', {
      description: 'WeChat mini-program login',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: seenAs('all'),
      // The envelope of every other refusal. WAF knows no request id.
      customResponseBodies: {
        [TOO_MANY]: { contentType: 'APPLICATION_JSON', content: errorText('rate_limited', '') },
      },
      rules: [
        limitPerAddress('logins-per-address', 0, props.loginsPerIpIn5Minutes, isLogin),
        limitPerAddress('requests-per-address', 1, props.requestsPerIpIn5Minutes),
        {
          name: 'common-attacks',
          priority: 2,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: {
              vendorName: 'AWS',
              name: 'AWSManagedRulesCommonRuleSet',
              ruleActionOverrides: countedOnly.map((name) => ({ name, actionToUse: { count: {} } })),
            },
          },
          visibilityConfig: seenAs('common-attacks'),
        },
      ],
    });
    new CfnWebACLAssociation(this, 'Association', {
      resourceArn: props.stage.stageArn,
      webAclArn: acl.attrArn,
    });
  }
}

const TOO_MANY = 'too-many-requests';

const isLogin: CfnWebACL.StatementProperty = {
  byteMatchStatement: {
    fieldToMatch: { uriPath: {} },
    // The API's own stage may stand before it.
    positionalConstraint: 'CONTAINS',
    searchString: LOGIN_PATH,
    textTransformations: [
      { priority: 0, type: 'URL_DECODE' },
      { priority: 1, type: 'NORMALIZE_PATH' },
    ],
  },
};
