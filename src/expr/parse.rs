//! From tokens to the tree of an expression, by precedence climbing over the grammar of CEL. That it reads every text as
//! the `cel` crate does is tested against that crate; what it deliberately refuses are the parts that the language does
//! not have: messages, optionals, names with a leading dot, names in backquotes.

use super::limits::{self, MAX_DEPTH};
use super::syntax::{Expr, Kind, Logic};
use super::token::{Lexer, Token, TokenKind, string_value};
use super::tree::{Arithmetic, Compare};
use super::{CompileError, RESERVED};

type Parsed<'s> = Result<Expr<'s>, CompileError>;

/// Parses all of `source`, whose brackets are not nested deeper than the limit.
pub(super) fn parse(source: &str) -> Parsed<'_> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next()?;
    let mut parser = Parser { lexer, token, depth: 0 };
    let expr = parser.expr()?;
    match parser.token.kind {
        TokenKind::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end of the expression")),
    }
}

/// Binding power of binary operators, loosest first.
const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;

enum Binary {
    Logic(Logic),
    Compare(Compare),
    In,
    Arithmetic(Arithmetic),
}

fn binary(sign: &str) -> Option<(Binary, u8)> {
    Some(match sign {
        "||" => (Binary::Logic(Logic::Or), OR),
        "&&" => (Binary::Logic(Logic::And), AND),
        "==" => (Binary::Compare(Compare::Equal), RELATION),
        "!=" => (Binary::Compare(Compare::NotEqual), RELATION),
        "<" => (Binary::Compare(Compare::Less), RELATION),
        "<=" => (Binary::Compare(Compare::LessOrEqual), RELATION),
        ">" => (Binary::Compare(Compare::Greater), RELATION),
        ">=" => (Binary::Compare(Compare::GreaterOrEqual), RELATION),
        "in" => (Binary::In, RELATION),
        "+" => (Binary::Arithmetic(Arithmetic::Add), SUM),
        "-" => (Binary::Arithmetic(Arithmetic::Subtract), SUM),
        "*" => (Binary::Arithmetic(Arithmetic::Multiply), PRODUCT),
        "/" => (Binary::Arithmetic(Arithmetic::Divide), PRODUCT),
        "%" => (Binary::Arithmetic(Arithmetic::Remainder), PRODUCT),
        _ => return None,
    })
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    /// The next token.
    token: Token<'s>,
    /// Expressions around the present one.
    depth: usize,
}

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<Token<'s>, CompileError> {
        Ok(std::mem::replace(&mut self.token, self.lexer.next()?))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token.kind, TokenKind::Sign(own) if own == sign)
    }

    /// Goes past `sign` if it is next.
    fn eat(&mut self, sign: &str) -> Result<bool, CompileError> {
        let found = self.is(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: &str, wanted: &str) -> Result<(), CompileError> {
        if self.eat(sign)? { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn unexpected(&self, wanted: &str) -> CompileError {
        let found = match self.token.kind {
            TokenKind::End => "the end of the expression".to_owned(),
            TokenKind::Name(text) | TokenKind::Int(text) | TokenKind::Double(text) => format!("`{text}`"),
            TokenKind::UInt(text) => format!("`{text}u`"),
            TokenKind::Str(_) => "a string".to_owned(),
            TokenKind::Sign(sign) => format!("`{sign}`"),
        };
        CompileError::new(self.token.at, format!("expected {wanted}, found {found}"))
    }

    fn expr(&mut self) -> Parsed<'s> {
        // Without brackets only `c ? x : …` goes deeper; the limit of the tree is checked when it is lowered.
        if self.depth > 2 * MAX_DEPTH {
            return Err(limits::too_deep(self.token.at));
        }
        self.depth += 1;
        let expr = self.conditional();
        self.depth -= 1;
        expr
    }

    fn conditional(&mut self) -> Parsed<'s> {
        let condition = self.binary(OR)?;
        let at = self.token.at;
        if !self.eat("?")? {
            return Ok(condition);
        }
        let yes = self.binary(OR)?;
        self.expect(":", "`:` and the value for the other case")?;
        let no = self.expr()?;
        Ok(Expr { at, kind: Kind::If(Box::new([condition, yes, no])) })
    }

    /// Operators that bind at least as tightly as `least`, from left to right.
    fn binary(&mut self, least: u8) -> Parsed<'s> {
        let mut left = self.unary()?;
        loop {
            let TokenKind::Sign(sign) = self.token.kind else { return Ok(left) };
            let Some((operator, power)) = binary(sign).filter(|(_, power)| *power >= least) else { return Ok(left) };
            let at = self.advance()?.at;
            let right = self.binary(power + 1)?;
            let kind = match operator {
                Binary::Logic(logic) => {
                    left = join(logic, at, left, right);
                    continue;
                }
                Binary::Compare(compare) => Kind::Compare(compare, Box::new([left, right])),
                Binary::In => Kind::In(Box::new([left, right])),
                Binary::Arithmetic(arithmetic) => Kind::Arithmetic(arithmetic, Box::new([left, right])),
            };
            left = Expr { at, kind };
        }
    }

    /// One kind of sign, repeated, before an operand. `-1` is a number, not an operation.
    fn unary(&mut self) -> Parsed<'s> {
        let first = self.token;
        let mut count = 0_usize;
        while (self.is("!") || self.is("-")) && self.token.kind == first.kind {
            self.advance()?;
            count += 1;
        }
        if first.kind == TokenKind::Sign("-") && count == 1 && self.at_number() {
            return self.member(true);
        }
        // Behind `!` a number may still have its sign.
        let negative = count > 0 && first.kind == TokenKind::Sign("!") && self.eat("-")?;
        if negative && !self.at_number() {
            return Err(self.unexpected("a number behind `!-`").help("write !(-x)"));
        }
        let operand = self.member(negative)?;
        Ok(match first.kind {
            TokenKind::Sign("!") if count % 2 == 1 => Expr { at: first.at, kind: Kind::Not(Box::new(operand)) },
            TokenKind::Sign("-") if count % 2 == 1 => Expr { at: first.at, kind: Kind::Negate(Box::new(operand)) },
            _ => operand,
        })
    }

    fn at_number(&self) -> bool {
        matches!(self.token.kind, TokenKind::Int(_) | TokenKind::Double(_))
    }

    /// A primary with what is selected of it or called on it.
    fn member(&mut self, negative: bool) -> Parsed<'s> {
        let mut operand = self.primary(negative)?;
        loop {
            let at = self.token.at;
            if self.eat(".")? {
                operand = self.selection(operand, at)?;
            } else if self.eat("[")? {
                if self.is("?") {
                    return Err(CompileError::new(at, "there is no `[?` in the language"));
                }
                let index = self.expr()?;
                self.expect("]", "`]`")?;
                operand = Expr { at, kind: Kind::Index(Box::new([operand, index])) };
            } else if self.is("{") && matches!(operand.kind, Kind::Name(_) | Kind::Select(..)) {
                return Err(CompileError::new(at, "messages are not part of the language"));
            } else {
                return Ok(operand);
            }
        }
    }

    /// What follows the dot behind `operand`.
    fn selection(&mut self, operand: Expr<'s>, dot: usize) -> Parsed<'s> {
        if self.is("?") {
            return Err(CompileError::new(dot, "there is no `.?` in the language"));
        }
        let TokenKind::Name(name) = self.token.kind else {
            let error = self.unexpected("the name of a field");
            return Err(match self.token.kind {
                TokenKind::Sign(word) if word.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                    error.help(format!("write a key that is a word of the language as ['{word}']"))
                }
                _ => error,
            });
        };
        let at = self.advance()?.at;
        Ok(if self.eat("(")? {
            Expr { at, kind: Kind::Call(Some(Box::new(operand)), name, self.arguments()?) }
        } else {
            Expr { at: dot, kind: Kind::Select(Box::new(operand), name) }
        })
    }

    /// What stands between the brackets of a call, and the closing one.
    fn arguments(&mut self) -> Result<Vec<Expr<'s>>, CompileError> {
        let mut arguments = Vec::new();
        if self.eat(")")? {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expr()?);
            if self.eat(")")? {
                return Ok(arguments);
            }
            self.expect(",", "`,` or `)`")?;
        }
    }

    fn primary(&mut self, negative: bool) -> Parsed<'s> {
        let token = self.token;
        let kind = match token.kind {
            TokenKind::Name(name) => return self.name(name),
            TokenKind::Int(digits) => Kind::Int(integer(token.at, digits, negative)?),
            TokenKind::UInt(digits) => Kind::UInt(unsigned(token.at, digits)?),
            TokenKind::Double(digits) => Kind::Double(double(token.at, digits, negative)?),
            TokenKind::Str(literal) => Kind::Str(string_value(literal).map_err(|offset| {
                CompileError::new(token.at + offset, "the escape sequence does not stand for a character")
            })?),
            TokenKind::Sign("null") => Kind::Null,
            TokenKind::Sign("true") => Kind::Bool(true),
            TokenKind::Sign("false") => Kind::Bool(false),
            TokenKind::Sign("(") => {
                self.advance()?;
                let inner = self.expr()?;
                self.expect(")", "an operator or `)`")?;
                return Ok(inner);
            }
            TokenKind::Sign("[") => return self.list(),
            TokenKind::Sign("{") => return self.map(),
            TokenKind::Sign(".") => {
                return Err(CompileError::new(token.at, "a name does not start with a dot"));
            }
            TokenKind::Sign(_) | TokenKind::End => return Err(self.unexpected("a value")),
        };
        self.advance()?;
        Ok(Expr { at: token.at, kind })
    }

    fn name(&mut self, name: &'s str) -> Parsed<'s> {
        let at = self.token.at;
        if RESERVED.contains(&name) {
            return Err(CompileError::new(at, format!("`{name}` is a reserved word"))
                .help("choose another name; as a key it is fine: body.for"));
        }
        self.advance()?;
        let kind = if self.eat("(")? { Kind::Call(None, name, self.arguments()?) } else { Kind::Name(name) };
        Ok(Expr { at, kind })
    }

    fn list(&mut self) -> Parsed<'s> {
        let at = self.advance()?.at;
        let mut items = Vec::new();
        while !self.is("]") && !self.is(",") {
            self.no_optional()?;
            items.push(self.expr()?);
            if !self.eat(",")? {
                self.expect("]", "`,` or `]`")?;
                return Ok(Expr { at, kind: Kind::List(items) });
            }
            if self.is(",") {
                return Err(self.unexpected("a value or `]`"));
            }
        }
        // The grammar has one comma behind the last item, even if there is none.
        if items.is_empty() {
            self.eat(",")?;
        }
        self.expect("]", "a value or `]`")?;
        Ok(Expr { at, kind: Kind::List(items) })
    }

    fn map(&mut self) -> Parsed<'s> {
        let at = self.advance()?.at;
        let mut entries = Vec::new();
        while !self.is("}") && !self.is(",") {
            self.no_optional()?;
            let key = self.expr()?;
            self.expect(":", "`:` and a value")?;
            entries.push((key, self.expr()?));
            if !self.eat(",")? {
                self.expect("}", "`,` or `}`")?;
                return Ok(Expr { at, kind: Kind::Map(entries) });
            }
            if self.is(",") {
                return Err(self.unexpected("a key or `}`"));
            }
        }
        if entries.is_empty() {
            self.eat(",")?;
        }
        self.expect("}", "a key or `}`")?;
        Ok(Expr { at, kind: Kind::Map(entries) })
    }

    fn no_optional(&self) -> Result<(), CompileError> {
        match self.is("?") {
            true => Err(CompileError::new(self.token.at, "there are no optional elements in the language")),
            false => Ok(()),
        }
    }
}

/// Operands of one logical operator side by side, however many brackets are around them.
fn join<'s>(logic: Logic, at: usize, left: Expr<'s>, right: Expr<'s>) -> Expr<'s> {
    match left.kind {
        Kind::Logic(own, mut terms) if own == logic => {
            terms.push(right);
            Expr { at: left.at, kind: Kind::Logic(logic, terms) }
        }
        kind => Expr { at, kind: Kind::Logic(logic, vec![Expr { at: left.at, kind }, right]) },
    }
}

fn radix(digits: &str) -> (&str, u32) {
    digits.strip_prefix("0x").map_or((digits, 10), |digits| (digits, 16))
}

fn integer(at: usize, digits: &str, negative: bool) -> Result<i64, CompileError> {
    let (digits, radix) = radix(digits);
    let value = u64::from_str_radix(digits, radix).ok().map(i128::from);
    let value = value.map(|value| if negative { -value } else { value });
    value.and_then(|value| i64::try_from(value).ok()).ok_or_else(|| {
        CompileError::new(at, "the integer does not fit into 64 bits").help("write it with a fraction, as in 1e20")
    })
}

fn unsigned(at: usize, digits: &str) -> Result<u64, CompileError> {
    let (digits, radix) = radix(digits);
    u64::from_str_radix(digits, radix)
        .map_err(|_| CompileError::new(at, "the unsigned integer does not fit into 64 bits"))
}

fn double(at: usize, digits: &str, negative: bool) -> Result<f64, CompileError> {
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(if negative { -value } else { value }),
        _ => Err(CompileError::new(at, "the number is too large for a double")),
    }
}
