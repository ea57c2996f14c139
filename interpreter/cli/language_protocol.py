"""The protocol of the language server, which answers what it cannot read: a request always gets a response."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol


class Answered(JsonRpcException):
    """A request could not be read, and its sender knows."""


class AnsweringProtocol(LanguageServerProtocol):
    """Sends the error of a request whose parameters do not have their form to the request's sender."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message from its JSON. Raises what the reader of messages logs before it goes on."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" not in data or "result" in data or "error" in data:
                raise
            if "method" in data:
                self.refuse(_number(data), self.refusal(str(data["method"]), error))
            else:
                self.refuse_message(data)
            raise Answered from error

    def refuse(self, number: int | str | None, error: lsp.ResponseError) -> None:
        """Sends an error; the number is null where the request's is not known."""
        content = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": content})

    def handle_message(self, message: Any) -> None:
        """Hands a message on, or answers that it is none."""
        if hasattr(message, "jsonrpc"):
            super().handle_message(message)
        else:
            self.refuse_message(message)

    def refuse_message(self, message: Any) -> None:
        """Answers what is JSON, and no message of the protocol."""
        text = "a message is an object with `jsonrpc`, and with `method`, `result` or `error`"
        self.refuse(_number(message), lsp.ResponseError(lsp.ErrorCodes.InvalidRequest.value, text))

    def refuse_text(self, error: Exception) -> None:
        """Answers a body that is no JSON."""
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        text = f"the body of a message is no JSON: {reason}"
        self.refuse(None, lsp.ResponseError(lsp.ErrorCodes.ParseError.value, text))

    def refusal(self, method: str, error: JsonRpcException) -> lsp.ResponseError:
        """What is wrong with a request: its parameters, or that there is no such method."""
        if self.get_message_type(method) is None:
            return lsp.ResponseError(lsp.ErrorCodes.MethodNotFound.value, f"there is no method '{method}'")
        return lsp.ResponseError(error.CODE, f"the parameters of '{method}' do not have the form of the protocol")


def _number(message: Any) -> int | str | None:
    """The number of a request that could not be read; None where it has none that the protocol knows."""
    number = message.get("id") if isinstance(message, dict) else None
    return number if isinstance(number, int | str) and not isinstance(number, bool) else None
