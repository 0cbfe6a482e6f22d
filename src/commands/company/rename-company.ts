import { z } from 'zod';
import { NewCompanyName } from '../../events/company.ts';
import type { CompanyEvent } from '../../events/domain-event.ts';
import { UserId } from '../../events/ids.ts';
import { companyStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Company, companyOf, requireOwner } from './company.ts';

const input = z.strictObject({ companyId: UserId, name: NewCompanyName.optional() });

export const renameCompany = defineCommand<z.infer<typeof input>, { company: Company }, CompanyEvent>({
  name: 'RenameCompany',
  input,
  refuses: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER'],
  writes: ({ companyId }) => companyStream(companyId),
  reads: ({ companyId }) => ({ company: companyOf(companyId) }),
  decide: ({ companyId, name }, { company }, { actor }) => {
    requireOwner(company, actor);
    return name === undefined || company.name === name
      ? []
      : [{ type: 'CompanyRenamed', data: { companyId, name } }];
  },
});
