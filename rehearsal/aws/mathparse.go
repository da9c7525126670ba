package aws

import "fmt"

// maxNesting bounds how deep brackets, signs and calls may nest, and with it the stack.
const maxNesting = 100

// node is one term of a metric math expression.
type node interface{}

type (
	numberNode struct{ value float64 }
	textNode   struct{ text string }
	nameNode   struct{ name string } // the id of another query, or a keyword such as REPEAT
	negateNode struct{ of node }
	binaryNode struct {
		operator    string
		left, right node
	}
	callNode struct {
		function string
		args     []node
	}
	arrayNode struct{ elements []node }
)

// parse reads a metric math expression by recursive descent. From loose to tight:
//
//	OR ||   AND &&   == != < <= > >=   + -   * /   unary -   ^
//
// Operators of one level group from the left, ^ from the right.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func parse(expression string) (node, error) {
	lexemes, err := lex(expression)
	if err != nil {
		return nil, err
	}
	p := &parser{lexemes: lexemes}
	n, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if next := p.peek(); next.kind != kindEnd {
		return nil, unexpected(next)
	}
	return n, nil
}

type parser struct {
	lexemes []lexeme
	next    int
	depth   int
}

func (p *parser) peek() lexeme { return p.lexemes[p.next] }

func (p *parser) take() lexeme {
	l := p.lexemes[p.next]
	if l.kind != kindEnd {
		p.next++
	}
	return l
}

// accept takes the next lexeme if it is the given sign.
func (p *parser) accept(sign string) bool {
	if l := p.peek(); l.kind != kindSign || l.text != sign {
		return false
	}
	p.next++
	return true
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return fmt.Errorf("the expression nests deeper than %d levels", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// level is how tight a binary operator binds; ok is false for everything else. AND and OR are
// words, the only ones among the operators.
func level(l lexeme) (operator string, tightness int, ok bool) {
	if l.kind != kindSign && l.kind != kindName {
		return "", 0, false
	}
	switch l.text {
	case "OR", "||":
		return "OR", 0, true
	case "AND", "&&":
		return "AND", 1, true
	case "==", "!=", "<", "<=", ">", ">=":
		return l.text, 2, true
	case "+", "-":
		return l.text, 3, true
	case "*", "/":
		return l.text, 4, true
	}
	return "", 0, false
}

// binary reads operators that bind at least as tight as the given level.
func (p *parser) binary(loosest int) (node, error) {
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		operator, tightness, ok := level(p.peek())
		if !ok || tightness < loosest {
			return left, nil
		}
		p.take()
		right, err := p.binary(tightness + 1)
		if err != nil {
			return nil, err
		}
		left = binaryNode{operator: operator, left: left, right: right}
	}
}

func (p *parser) unary() (node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.accept("-") {
		of, err := p.unary()
		return negateNode{of: of}, err
	}
	base, err := p.primary()
	if err != nil || !p.accept("^") {
		return base, err
	}
	exponent, err := p.unary()
	return binaryNode{operator: "^", left: base, right: exponent}, err
}

func (p *parser) primary() (node, error) {
	l := p.take()
	switch {
	case l.kind == kindNumber:
		return numberNode{value: l.value}, nil
	case l.kind == kindText:
		return textNode{text: l.text}, nil
	case l.kind == kindName && l.text != "AND" && l.text != "OR":
		if !p.accept("(") {
			return nameNode{name: l.text}, nil
		}
		args, err := p.list(")")
		return callNode{function: l.text, args: args}, err
	case l.kind == kindSign && l.text == "[":
		elements, err := p.list("]")
		return arrayNode{elements: elements}, err
	case l.kind == kindSign && l.text == "(":
		inner, err := p.binary(0)
		if err == nil && !p.accept(")") {
			err = unexpected(p.peek())
		}
		return inner, err
	}
	return nil, unexpected(l)
}

// list reads terms with commas between them, up to and with the closing bracket.
func (p *parser) list(closing string) ([]node, error) {
	var out []node
	if p.accept(closing) {
		return out, nil
	}
	for {
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if p.accept(closing) {
			return out, nil
		}
		if !p.accept(",") {
			return nil, unexpected(p.peek())
		}
	}
}

func unexpected(l lexeme) error {
	return fmt.Errorf("unexpected %s at position %d", l, l.at+1)
}
