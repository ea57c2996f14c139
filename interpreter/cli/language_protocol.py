"""The protocol of the language server, which answers what it cannot read: a request always gets a response."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol


class AnsweringProtocol(LanguageServerProtocol):
    """Sends the error of a request whose parameters do not have their form to the request's sender."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message from its JSON. Raises what the reader of messages logs before it goes on."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            method, number = data.get("method"), data.get("id")
            if method is not None and isinstance(number, int | str):
                self._send_response(number, error=self.refusal(str(method), error))
            raise

    def refusal(self, method: str, error: JsonRpcException) -> lsp.ResponseError:
        """What is wrong with a request: its parameters, or that there is no such method."""
        if self.get_message_type(method) is None:
            return lsp.ResponseError(lsp.ErrorCodes.MethodNotFound.value, f"there is no method '{method}'")
        return lsp.ResponseError(error.CODE, f"the parameters of '{method}' do not have the form of the protocol")
