/** A network whose way out has fixed addresses, for mini-programs that let only listed addresses use their AppSecret. */
import { Fn, Lazy, Validations } from 'aws-cdk-lib';
import {
  CfnEIP,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { FunctionOptions, IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface EgressNetworkProps {
  /** How many addresses, each in an availability zone of its own: 1 or 2. */
  readonly addresses: number;
}

/** Two zones to run in, and one NAT gateway with an Elastic IP for each address. */
export class EgressNetwork extends Construct {
  /** What a function needs to be in it. */
  readonly placement: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
  /** The addresses, separated by commas. */
  readonly addresses: string;
  private readonly securityGroup: SecurityGroup;
  private readonly admitted: IFunction[] = [];
  private policies: readonly Policy[] | undefined;

  constructor(scope: Construct, id: string, props: EgressNetworkProps) {
    super(scope, id);
    const eips = Array.from(
      { length: props.addresses },
      (_, index) => new CfnEIP(this, `Address${index + 1}`, { domain: 'vpc' }),
    );
    this.addresses = Fn.join(
      ',',
      eips.map((eip) => eip.attrPublicIp),
    );
    const vpc: IVpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.0.0.0/22'),
      maxAzs: 2,
      natGateways: props.addresses,
      natGatewayProvider: NatProvider.gateway({ eipAllocationIds: eips.map((eip) => eip.attrAllocationId) }),
      subnetConfiguration: [
        { name: 'Nat', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: 'Function', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
      ],
      // Nothing is in the default group; emptying it would take a function more.
      restrictDefaultSecurityGroup: false,
    }) as IVpc;
    // What goes to the table neither costs nor crowds the NAT gateways.
    vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    const securityGroup = new SecurityGroup(this, 'Https', {
      vpc,
      description: 'Out by https, and nothing in',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443));
    this.securityGroup = securityGroup;
    this.placement = {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [securityGroup],
    };
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Two functions are in it, which log each of their calls themselves, and nothing can be connected to.',
    });
  }

  /**
   * Allows the role of a function that is placed here what Lambda does with it, to connect the function; and denies
   * the same to the function's own code: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
   */
  admit(lambda: IFunction, role: Role): void {
    this.policies ??= this.createPolicies();
    this.admitted.push(lambda);
    for (const policy of this.policies) policy.attachToRole(role);
    const [allowed] = this.policies;
    if (allowed !== undefined) lambda.node.addDependency(allowed);
  }

  private createPolicies(): readonly Policy[] {
    const statement = { actions: interfaceActions, resources: ['*'] };
    const allowed = new Policy(this, 'Interfaces', { statements: [new PolicyStatement(statement)] });
    // Lambda removes its interfaces with the role too, before the security group can go.
    this.securityGroup.node.addDependency(allowed);
    Validations.of(allowed).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'AWS can limit none of it to the interfaces of some functions.',
    });
    const arns = Lazy.list({ produce: () => this.admitted.map(({ functionArn }) => functionArn) });
    const denied = new Policy(this, 'NotByCode', {
      statements: [
        new PolicyStatement({
          ...statement,
          effect: Effect.DENY,
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': arns } },
        }),
      ],
    });
    return [allowed, denied];
  }
}

/** What Lambda does with the role of a function that is in a VPC. */
const interfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];
