package orders;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A service whose routes open with tokens of the WeChat login. Run: mvn spring-boot:run */
@SpringBootApplication
@RestController
public class OrdersApplication {
    public static void main(String[] args) {
        SpringApplication.run(OrdersApplication.class, args);
    }

    /** The default decoder takes the typ JWT alone; this one takes at+jwt (RFC 9068) alone. */
    @Bean
    JwtDecoder jwtDecoder(
            @Value("${TOKEN_ISSUER}") String issuer,
            @Value("${TOKEN_AUDIENCE}") String audience,
            @Value("${WECHAT_APPID}") String appid) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
        decoder.setJwtValidator(
                JwtValidators.createAtJwtValidator().issuer(issuer).audience(audience).clientId(appid).build());
        return decoder;
    }

    @GetMapping("/whoami")
    Map<String, String> whoami(@AuthenticationPrincipal Jwt token) {
        return Map.of("user_id", token.getSubject(), "appid", token.getClaimAsString("client_id"));
    }
}
