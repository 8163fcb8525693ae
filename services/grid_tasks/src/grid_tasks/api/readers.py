"""Who may read what was written about a case: those who look after its grid, who deals with it wherever they are in
post, and who shows the receipt."""

from dataclasses import dataclass

from edge import Grant
from edge.call import HttpCall

from grid_tasks.api.powers import Powers
from grid_tasks.domain.case import Case
from grid_tasks.domain.receipt import is_receipt
from grid_tasks.domain.refusals import NotYourReceipt


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who looks at cases."""

    grant: Grant | None
    """The power to read in grids that one looks after."""
    handler: str | None
    """Their id, if they may deal with cases."""
    receipt: str | None = None

    def reads(self, case: Case) -> bool:
        """Whether they may read what was written of it. Raises NotYourReceipt for a receipt that is not this case's."""
        if self.receipt is not None and not is_receipt(self.receipt, case.receipt_hash):
            raise NotYourReceipt
        if self.receipt is not None or (self.grant is not None and self.grant.reaches(case.grid)):
            return True
        return self.handler is not None and case.is_with(self.handler)


async def reader_of(call: HttpCall, receipt: str | None = None) -> Reader:
    """The caller, by the powers that they hold now."""
    handler = call.caller.id if await call.may(Powers.HANDLE) else None
    return Reader(await call.may(Powers.READ), handler, receipt)
