/** The custom domain: whether its certificate can be used, and where its name leads today. */
import type { Resolver } from 'node:dns/promises';
import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { StageSettings } from '../../lib/settings.ts';
import { type Check, Problem, Remark } from '../command/check.ts';
import type { Deployed } from './deployed.ts';
import { lookedUp } from './looked-up.ts';

export interface DomainNeeds {
  readonly settings: Pick<StageSettings, 'customDomain'>;
  readonly account: string;
  readonly region: string;
  readonly deployed: Pick<Deployed, 'outputs'> | undefined;
  readonly dns: Pick<Resolver, 'resolveCname' | 'resolve4'>;
}

/** None where there is no custom domain. */
export function domainChecks(needs: DomainNeeds): Check[] {
  const { customDomain } = needs.settings;
  if (customDomain === undefined) return [];
  const { name, certificateArn } = customDomain;
  return [
    { name: 'certificate', look: () => certificateIsUsable(name, certificateArn, needs) },
    { name: 'DNS', look: () => nameLeadsHere(name, needs) },
  ];
}

async function certificateIsUsable(
  name: string,
  CertificateArn: string,
  { account, region }: DomainNeeds,
): Promise<string> {
  const [, , , itsRegion, itsAccount] = CertificateArn.split(':');
  if (itsRegion !== region)
    throw new Problem(`it is in ${itsRegion}, and the deployment goes to ${region}: make one there`);
  if (itsAccount !== account)
    throw new Problem(
      `it is in account ${itsAccount}, and the deployment goes to ${account}: make one there`,
    );
  const client = new ACMClient();
  const { Certificate } = await lookedUp(
    CertificateArn,
    client.send(new DescribeCertificateCommand({ CertificateArn })),
  ).finally(() => client.destroy());
  const { Status, NotAfter, DomainName = '', SubjectAlternativeNames = [] } = Certificate ?? {};
  if (Status !== 'ISSUED')
    throw new Problem(
      `it is ${Status}${Status === 'PENDING_VALIDATION' ? ': make the DNS records that ACM shows for it, and wait' : ''}`,
    );
  const names = [...new Set([DomainName, ...SubjectAlternativeNames])];
  if (!names.some((each) => covers(each, name)))
    throw new Problem(`it is for ${names.join(', ')} and not for ${name}`);
  return `issued for ${names.join(', ')}, until ${NotAfter?.toISOString().slice(0, 10)}`;
}

/** A star stands for one label: https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html */
function covers(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith('*.') && pattern.slice(2) === name.replace(/^[^.]+\./, ''));
}

async function nameLeadsHere(name: string, { deployed, dns }: DomainNeeds): Promise<string> {
  const target = deployed?.outputs.DomainTarget;
  const [alias] = await found(dns.resolveCname(name));
  const addresses = await found(dns.resolve4(name));
  const today = alias ?? addresses.join(', ');
  if (target === undefined)
    throw new Remark(
      today === ''
        ? `${name} leads nowhere yet: the deployment prints DomainTarget, make a CNAME record to it; until then nobody can log in`
        : `${name} leads to ${today} today, and the deployment does not change that: it prints DomainTarget, where the record must point`,
    );
  const targets = await found(dns.resolve4(target));
  if (alias === target || addresses.some((address) => targets.includes(address)))
    return `${name} leads to ${target}`;
  throw new Problem(`${name} leads to ${today || 'nothing'} instead of ${target}: change its record`);
}

/** None where DNS has no such record. */
async function found(records: Promise<string[]>): Promise<string[]> {
  try {
    return await records;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    throw new Problem(`DNS cannot be read from this machine (${code})`);
  }
}
